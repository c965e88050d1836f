import { AgentTaskKind } from "../api/kinds.ts";
import type { KubeClient } from "../kube/types.ts";
import type { Proposal } from "../sandbox/protocol/channel.ts";
import type { Grant } from "./capability.ts";
import { requireFence } from "./fence.ts";
import { Refusal } from "./refusal.ts";
import { defined } from "../shared/defined.ts";

/** Records the push that a courier proposes in `status.result.proposed`, for the operator to check. Recording the same proposal again changes nothing. */
export async function recordProposal(
  client: KubeClient,
  grant: Grant,
  proposal: Proposal,
  signal: AbortSignal,
): Promise<void> {
  if (proposal.attempt !== grant.attempt) {
    throw new Refusal(
      409,
      "Fenced",
      `the proposal is of attempt ${proposal.attempt}, but the capability belongs to attempt ${grant.attempt}`,
    );
  }
  const task = await requireFence(client, grant, signal);
  const { summary, ...proposed } = proposal;
  // A merge patch keeps fields that it does not name, so the optional fields of an earlier proposal are cleared.
  const result = { proposed: { ...emptyProposal, ...proposed }, ...defined({ summary }) };
  // With the resource version the write fails if the task was changed after the fence was checked.
  const metadata = { resourceVersion: task.metadata.resourceVersion };
  await client.mergePatch(
    AgentTaskKind,
    { namespace: grant.namespace, name: grant.task },
    { metadata, status: { result } },
    { subresource: "status", signal },
  );
}

const emptyProposal = { oldId: null, protectedPaths: null, skipped: null };
