import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { Clock } from "../../shared/clock.ts";
import { BellhopError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import { type Broker, isRetryable, persistently } from "../broker.ts";
import { listTree } from "../git/objects.ts";
import type { Places } from "../settings.ts";
import { forPeople } from "../raw-path.ts";
import { agentClone } from "./agent-clone.ts";
import { fetchBase } from "./fetch-base.ts";
import { writeAgentInput } from "./agent-input.ts";
import { egressMessage, type Probe, probeEgress, probesOf } from "./probe-egress.ts";
import { saveRefused, without, writeWorktree } from "./write-worktree.ts";

/** Dependencies of the checkout. */
export interface CheckoutDeps {
  clock: Clock;
  log: Logger;
  broker: Broker;
  answers(probe: Probe): Promise<boolean>;
}

/** How long calls to the broker are retried: network policies take effect, and the operator records the pod's uid, some time after the pod starts. */
const brokerPatienceMs = 90_000;

/**
 * Runs as the init container: checks that egress is closed, writes the agent's input, fetches the commit, and writes the work tree and the
 * agent's clone. If it is started again, it repeats every step. Throws `EgressNotEnforced`, `BrokerUnreachable`, or the error of a later step.
 */
export async function checkout(places: Places, spec: SandboxSpec, deps: CheckoutDeps): Promise<void> {
  // Comes first: before its network is ready, a pod reaches nothing, with or without policies. The broker's answer shows that it is ready.
  await persistently(() => deps.broker.open(), { clock: deps.clock, forMs: brokerPatienceMs, again: isTemporary });
  await requireClosedEgress(places, spec, deps);
  writeAgentInput(places);
  await fillWorkspace(places, spec, deps);
}

/** Whether a retry can succeed. The broker refuses a pod that it does not know yet; only a malformed request is refused for good. */
function isTemporary(error: unknown): boolean {
  return isRetryable(error) || (error instanceof BellhopError && error.code !== "BadRequest");
}

async function requireClosedEgress(places: Places, spec: SandboxSpec, deps: CheckoutDeps): Promise<void> {
  if (places.isolation === "process") return;
  const probes = probesOf(spec.egress, places.hostIP);
  const open = await probeEgress(probes, deps);
  if (open.length > 0) throw new BellhopError("EgressNotEnforced", egressMessage(open));
  deps.log.info({ probed: probes.length, notProbed: spec.egress.notProbed }, "egress is closed");
}

async function fillWorkspace(places: Places, spec: SandboxSpec, deps: CheckoutDeps): Promise<void> {
  const own = { gitDir: places.repository };
  const fetched = await fetchBase(spec.checkout, {
    ...own,
    broker: deps.broker,
    patience: { clock: deps.clock, forMs: brokerPatienceMs },
  });
  emptyFolder(places.workspace);
  const tree = spec.checkout.headSHA === undefined ? [] : await listTree(spec.checkout.headSHA, own);
  const refused = await writeWorktree(places.workspace, tree, own);
  saveRefused(places.courier, refused);
  const url = deps.broker.repositoryURL;
  const written = without(tree, refused);
  await agentClone(places.workspace, { ...own, ...fetched, url, checkout: spec.checkout, tree: written });
  const named = refused.map(({ path, why }) => `${forPeople(path)}: ${why}`);
  deps.log.info({ commit: spec.checkout.headSHA, paths: tree.length, refused: named }, "checked out");
}

/** Removes the files of an earlier run of this container. Links are removed, not followed. */
function emptyFolder(folder: string): void {
  for (const name of readdirSync(folder, { encoding: "buffer" })) {
    rmSync(Buffer.concat([Buffer.from(`${folder}${path.sep}`), name]), { recursive: true, force: true });
  }
}
