import { isAtWork, newestAttempt } from "./state.ts";
import type { Step } from "./steps.ts";

/** Mints the fetch token anew before it runs out, as long as the sandbox lives. The first one is minted with the pod. */
export const credentials: Step<{ refreshAt: Date | undefined }, "refresh"> = {
  name: "credentials",
  concerns: ({ task }) => isAtWork(task) && newestAttempt(task)?.podUID !== undefined,
  gather: async ({ deps, facts }) => ({ refreshAt: deps.credentials.refreshAt(facts.task) }),
  decide(_facts, { refreshAt }, now) {
    const inMs = (refreshAt?.getTime() ?? 0) - now.getTime();
    return inMs > 0 ? { requeueAfterMs: inMs } : { actions: ["refresh"], requeueAfterMs: 60_000 };
  },
  async apply(context) {
    const { codeHost } = await context.connection();
    if (codeHost) await context.deps.credentials.ensureFetch(context.facts.task, codeHost, context.signal);
    return undefined;
  },
};
