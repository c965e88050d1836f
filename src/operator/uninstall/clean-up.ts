import { AgentTaskKind } from "../../api/kinds.ts";
import { taskPages } from "../../controllers/agent-task/task-index.ts";
import { integrationType } from "../../integrations/resource-type.ts";
import type { Integration } from "../../integrations/integration.ts";
import { describeError } from "../../shared/errors.ts";
import type { Tally } from "./each-object.ts";
import { endSandboxes } from "./end-sandboxes.ts";
import { releaseObjects } from "./release-objects.ts";
import { revokeTokens, type RevokeDeps } from "./revoke-tokens.ts";
import { stopProcesses } from "./stop-processes.ts";

/** Dependencies of the clean-up. */
export type CleanUpDeps = RevokeDeps;

interface Step {
  /** Constant message for the log. */
  message: string;
  kind: string;
  /** Whether the uninstall continues if this step fails. */
  optional?: true;
  run: () => Promise<Tally>;
}

/**
 * Cleans up before an uninstall: stops Bellhop's processes, ends the sandboxes, revokes the tokens of tasks and removes the finalizers, so that
 * tasks, integrations and CRDs can be deleted afterwards. Deletes no task, profile or integration. Every step may run again. Returns a message
 * for each failed step; empty if everything succeeded. Throws if the processes could not be stopped, and if `signal` aborts.
 */
export async function cleanUp(deps: CleanUpDeps, signal: AbortSignal): Promise<string[]> {
  const alive = await stopProcesses(deps, signal);
  if (alive.length === 0) deps.log.info({}, "gateway and operator have stopped");
  else deps.log.warn({ pods: alive }, "pods did not end in time; an operator that still runs adds finalizers again");
  const hooked: string[] = [];
  const problems: string[] = [];
  for (const step of stepsOf(deps, signal, hooked)) problems.push(...(await runStep(deps, step, signal)));
  if (hooked.length > 0) {
    const advice = "delete them there, or install Bellhop again and delete these integrations while it runs";
    deps.log.warn({ integrations: hooked, advice }, "webhooks stay at the provider");
  }
  return problems;
}

function stepsOf(deps: CleanUpDeps, signal: AbortSignal, hooked: string[]): Step[] {
  const { client, providers } = deps;
  const note = ({ metadata, status }: Integration): void => {
    if ((status?.hooks ?? []).length > 0) hooked.push(`${metadata.namespace}/${metadata.name}`);
  };
  const release = "finalizers removed";
  return [
    { message: "sandboxes ended", kind: "Pod", run: () => endSandboxes(client, signal) },
    { message: "tokens revoked", kind: AgentTaskKind.kind, optional: true, run: () => revokeTokens(deps, signal) },
    { message: release, kind: AgentTaskKind.kind, run: () => releaseObjects(client, AgentTaskKind, signal, taskPages) },
    ...providers.map((provider): Step => {
      const type = integrationType(provider);
      return { message: release, kind: provider.kind, run: () => releaseObjects(client, type, signal, { seen: note }) };
    }),
  ];
}

/** Runs one step; a failed step does not prevent the others. */
async function runStep(
  { log }: Pick<CleanUpDeps, "log">,
  { message, kind, optional, run }: Step,
  signal: AbortSignal,
): Promise<string[]> {
  const { changed, failed, why } = await run().catch((error: unknown): Tally => {
    signal.throwIfAborted();
    return { changed: 0, failed: 1, why: describeError(error) };
  });
  if (failed === 0) {
    log.info({ kind, count: changed }, message);
    return [];
  }
  log.warn({ kind, count: changed, failed, why }, message);
  return optional ? [] : [`${message} (${kind}): ${failed} failed, the first: ${why}`];
}
