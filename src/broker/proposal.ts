import { AgentTaskKind } from "../api/kinds.ts";
import type { KubeClient } from "../kube/types.ts";
import type { Proposal } from "../sandbox/protocol/channel.ts";
import type { Grant } from "./capability.ts";
import { requireFence } from "./fence.ts";
import { Refusal } from "./refusal.ts";

/** Stores what a courier would publish as `status.result.proposed`, for the operator to judge. The same proposal twice is one. */
export async function takeProposal(
  client: KubeClient,
  grant: Grant,
  proposal: Proposal,
  signal: AbortSignal,
): Promise<void> {
  if (proposal.attempt !== grant.attempt) {
    throw new Refusal(409, "Fenced", `attempt ${proposal.attempt} proposes through attempt ${grant.attempt}`);
  }
  const task = await requireFence(client, grant, signal);
  const { summary, ...proposed } = proposal;
  // A merge patch keeps what it does not name: what an earlier attempt proposed must not shine through.
  const result = { proposed: { ...nothingProposed, ...proposed }, ...(summary === undefined ? {} : { summary }) };
  // The resource version makes the fence hold until the write: whatever changed the task in between refuses it.
  const metadata = { resourceVersion: task.metadata.resourceVersion };
  await client.mergePatch(
    AgentTaskKind,
    { namespace: grant.namespace, name: grant.task },
    { metadata, status: { result } },
    { subresource: "status", signal },
  );
}

const nothingProposed = { oldId: null, protectedPaths: null, skipped: null };
