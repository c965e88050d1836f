import { isAtWork, newestAttempt, proposedBy } from "./state.ts";
import { clearRetryCondition } from "./status.ts";
import type { Step } from "./steps.ts";

/**
 * Renews the fetch token before it expires, as long as the agent may fetch. The first token is minted with the pod. This step runs after
 * `follow`, so that the sandbox is watched even if the provider gives no token.
 */
export const credentials: Step<{ refreshAt: Date | undefined }, "refresh"> = {
  name: "credentials",
  condition: "Succeeded",
  concerns: ({ task }) => isAtWork(task) && newestAttempt(task)?.podUID !== undefined && proposedBy(task) === undefined,
  gather: async ({ deps, facts }) => ({ refreshAt: deps.credentials.refreshAt(facts.task) }),
  decide(_facts, { refreshAt }, now) {
    const inMs = (refreshAt?.getTime() ?? 0) - now.getTime();
    return inMs > 0 ? { requeueAfterMs: inMs } : { actions: ["refresh"], requeueAfterMs: 60_000 };
  },
  async apply(context) {
    await context.deps.credentials.ensureFetch(context.facts.task, await context.codeHost(), context.signal);
    return clearRetryCondition(context.facts.task);
  },
};
