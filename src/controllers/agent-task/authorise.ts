import type { Connection, RepositoryRef, Reread } from "../../integrations/connection.ts";
import { isProviderFailure } from "../../integrations/errors.ts";
import { decideAuthorisation, personOf, type AuthoriseReading } from "./authorise-rules.ts";
import { failedTaskOf, isFailedCheck } from "./conversation.ts";
import { isDecided, isStopping, isOver } from "./state.ts";
import type { Step, StepContext } from "./steps.ts";

/** Authorises the task: the object that triggered it is unchanged, and the person has the permission. Every refusal is final. */
export const authorise: Step<AuthoriseReading, never> = {
  name: "authorise",
  condition: "Authorized",
  concerns: ({ task }) => !isDecided(task, "Authorized") && !isOver(task) && !isStopping(task),
  gather: readOrigin,
  decide: (facts, reading) => decideAuthorisation(facts, reading),
  apply: async () => undefined,
};

async function readOrigin(context: StepContext): Promise<AuthoriseReading> {
  const { task, integration } = context.facts;
  const repository = task.spec.repository;
  if (!integration || !repository) return {};
  if (task.spec.source.provider !== "kubernetes") return readSource(context, repository);
  if (integration.spec.access.kubernetes !== "Allow") return {};
  return { repository: await readRepository(context, repository) };
}

async function readSource(context: StepContext, repository: RepositoryRef): Promise<AuthoriseReading> {
  const { task, tasks } = context.facts;
  if (isFailedCheck(task) && !failedTaskOf(task, tasks)) return {};
  const connection = await context.connection();
  const reread = await rereadSource(context, connection, repository);
  if (!reread?.found) return reread ? { reread } : {};
  const permission = await readPermission(context, connection, repository);
  return permission ? { reread, permission } : { reread };
}

/** If the repository was deleted or access was revoked, the source counts as gone. */
async function rereadSource(
  { facts, signal }: StepContext,
  connection: Connection,
  repository: RepositoryRef,
): Promise<Reread | undefined> {
  try {
    return await connection.context?.reread(facts.task.spec.source, repository, signal);
  } catch (error) {
    if (!isProviderFailure(error, "NotFound")) throw error;
    return { found: false, message: `Could not read the object that triggered this task: ${error.message}` };
  }
}

async function readPermission(
  { facts, signal }: StepContext,
  connection: Connection,
  repository: RepositoryRef,
): Promise<AuthoriseReading["permission"]> {
  const person = personOf(facts);
  try {
    return await connection.actors?.permission(repository, person, signal);
  } catch (error) {
    if (!isProviderFailure(error, "NotFound")) throw error;
    return { permission: "None", login: person.login, isBot: false };
  }
}

async function readRepository(
  context: StepContext,
  named: RepositoryRef,
): Promise<NonNullable<AuthoriseReading["repository"]>> {
  const { task } = context.facts;
  const handle = context.deps.findIntegration({ ...task.spec.integrationRef, namespace: task.metadata.namespace });
  try {
    const found = await (await context.connection()).codeHost?.repository(named, context.signal);
    if (!found || found.id !== named.id) return "Gone";
    const covered =
      handle?.provider.covers(handle.integration, found) === true &&
      handle.provider.host(handle.integration) === named.host;
    return { owner: found.owner, name: found.name, covered };
  } catch (error) {
    if (isProviderFailure(error, "NotFound")) return "Gone";
    throw error;
  }
}
