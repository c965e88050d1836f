import type { Checkout } from "../../../api/agent-task-status.ts";
import type { AgentTask } from "../../../api/kinds.ts";
import { aTask } from "../testing.ts";

/** A task that runs in pod `p` and whose courier may push this commit to the branch of its checkout. */
export function aPushingTask(commit: string, checkout: Checkout & { headRef: string }): AgentTask {
  const publish = { ref: `refs/heads/${checkout.headRef}`, newId: commit };
  return aTask({
    conditions: ["Authorized", "Admitted"],
    status: {
      attempts: [{ number: 1, podName: "p", podUID: "u" }],
      checkout,
      publish,
      result: { proposed: { attempt: 1, files: 1, patchKiB: 1, ...publish } },
    },
  });
}
