import type { AgentTask } from "../../api/kinds.ts";
import type { RepositoryRef } from "../../integrations/code-host.ts";
import type { Connection, Reread } from "../../integrations/connection.ts";
import { isProviderFailure } from "../../integrations/errors.ts";
import { decideAuthorisation, personOf, type AuthoriseReading } from "./authorise-rules.ts";
import { readEdited } from "./edited-request.ts";
import { codeHostRefOf, isDecided, isStopping, isOver, targetOf } from "./state.ts";
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
  if (!integration) return {};
  if (task.spec.source.provider !== "kubernetes") return readSource(context);
  const { repository } = task.spec;
  if (!repository || integration.spec.access.kubernetes !== "Allow") return {};
  return { repository: await readRepository(context, repository) };
}

async function readSource(context: StepContext): Promise<AuthoriseReading> {
  const { facts, signal } = context;
  const { task } = facts;
  const actor = personOf(facts);
  if (!actor) return {};
  const connection = await context.connection();
  const reread = await rereadSource(connection, task, signal);
  if (!reread?.found) return reread ? { reread } : {};
  const { source, repository } = task.spec;
  const edited = readEdited(connection, task, reread, facts.integration?.status?.bot?.mention);
  const grant = await connection.authorizer.may({ source, repository, actor }, signal);
  return { reread, edited, grant };
}

/** If the repository or thread was deleted or access was revoked, the source counts as gone. */
async function rereadSource({ source }: Connection, task: AgentTask, signal: AbortSignal): Promise<Reread | undefined> {
  try {
    return await source.reread(targetOf(task), signal);
  } catch (error) {
    if (!isProviderFailure(error, "NotFound")) throw error;
    return { found: false, message: `Could not read the object that triggered this task: ${error.message}` };
  }
}

async function readRepository(
  context: StepContext,
  named: RepositoryRef,
): Promise<NonNullable<AuthoriseReading["repository"]>> {
  const { task } = context.facts;
  const handle = context.deps.findIntegration({ ...codeHostRefOf(task), namespace: task.metadata.namespace });
  try {
    const found = await (await context.codeHost()).repository(named, context.signal);
    if (found.id !== named.id) return "Gone";
    const covered =
      handle?.provider.covers(handle.integration, { repository: found }) === true &&
      handle.provider.host(handle.integration) === named.host;
    return { owner: found.owner, name: found.name, covered };
  } catch (error) {
    if (isProviderFailure(error, "NotFound")) return "Gone";
    throw error;
  }
}
