import { proposedBy } from "./publish/judge.ts";
import { isAtWork, newestAttempt } from "./state.ts";
import { clearRetryCondition } from "./status.ts";
import type { Step } from "./steps.ts";

/**
 * Mints the fetch token anew before it runs out, as long as the agent may fetch. The first one is minted with the pod. After `follow`,
 * because a provider that gives no token must not keep anybody from watching over the sandbox.
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
    const { codeHost } = await context.connection();
    if (codeHost) await context.deps.credentials.ensureFetch(context.facts.task, codeHost, context.signal);
    return clearRetryCondition(context.facts.task);
  },
};
