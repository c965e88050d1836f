import { z } from "zod";
import { objectName } from "./common.ts";
import { GitHubIntegrationKind } from "./github-integration.ts";
import { kindNames } from "./kind.ts";

/** The integration kinds of the providers that are code hosts, by the provider's name. The other kinds are in `integration-kinds.ts`. */
export const codeHosts = { github: GitHubIntegrationKind };

/** Points at an integration of a code host, in the same namespace. */
export const codeHostRef = z.object({
  kind: z.enum(kindNames(codeHosts)).describe("Kind of the integration."),
  name: objectName.describe("Name of the integration, in the same namespace."),
});

/** A repository of a code host, `owner/name`, in the spec of a chat or tracker. */
export const repositoryName = z
  .string()
  .min(3)
  .max(201)
  .regex(/^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/);

/** The schema of `spec.access.people` of a chat or tracker; `id` is the person's id there. */
export function peopleAtCodeHost<Id extends z.ZodString>(id: Id) {
  return z
    .array(
      z.object({
        id,
        codeHost: z
          .object({
            id: accountId.describe("Numeric id of the account at the code host."),
            login: accountLogin.describe("Login of the account at the code host."),
          })
          .describe("The person's account at the code host: for co-authorship, permissions and approvals."),
      }),
    )
    .max(1_000)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"] })
    .describe("Accounts of people at the code host. A person without an entry is nobody there: they cannot approve.");
}

const accountId = z
  .string()
  .min(1)
  .max(20)
  .regex(/^[0-9]{1,20}$/);
/** A person's login: it becomes part of commit messages. */
const accountLogin = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:_[A-Za-z0-9]+)?$/);
