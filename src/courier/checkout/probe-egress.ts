import { connect } from "node:net";
import { type Clock, sleep } from "../../shared/clock.ts";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";

/** An address that must not answer. */
export type Probe = SandboxSpec["egress"]["probes"][number];

/** What probing needs; `answers` says whether a TCP connection came about. */
export interface ProbeDeps {
  clock: Clock;
  answers(probe: Probe): Promise<boolean>;
}

/** Network policies reach a new pod's node with a delay; an address that answers is tried again for this long. */
const patienceMs = 10_000;
const pauseMs = 500;

/** What is probed: everything named, but the pod's own node where the profile accepts that engines open it. */
export function probesOf({ probes, acceptOwnNode }: SandboxSpec["egress"], hostIP: string | undefined): Probe[] {
  return probes.filter(({ host }) => !(acceptOwnNode && host === hostIP));
}

/** The probes that still answer after 10 s; empty when egress is enforced. */
export async function probeEgress(probes: readonly Probe[], deps: ProbeDeps): Promise<Probe[]> {
  const untilMs = deps.clock.now().getTime() + patienceMs;
  let open = await stillOpen(probes, deps);
  while (open.length > 0 && deps.clock.now().getTime() < untilMs) {
    await sleep(deps.clock, pauseMs);
    open = await stillOpen(open, deps);
  }
  return open;
}

async function stillOpen(probes: readonly Probe[], deps: ProbeDeps): Promise<Probe[]> {
  const answers = await Promise.all(probes.map((probe) => deps.answers(probe)));
  return probes.filter((_, index) => answers[index]);
}

const connectTimeoutMs = 2000;

/**
 * Whether an address takes a TCP connection within 2 s. A refusal counts as no answer: some policy engines reject with a reset, so it
 * does not tell an enforced policy from an open one with nobody listening.
 */
export function answersTCP({ host, port }: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectTimeoutMs });
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}

/** What a person reads when egress is open, with how to go on. */
export function egressMessage(open: readonly Probe[]): string {
  const which = open.map((probe) => `${probe.name} (${probe.host}:${probe.port})`).join(", ");
  return (
    `The agent was not started: from its pod, ${which} could be reached, which the sandbox's NetworkPolicy denies. ` +
    "Use a network plugin that enforces NetworkPolicy for egress (for example Calico or Cilium), remove foreign policies that open these " +
    "pods, or, where the plugin always opens the pod's own node, set sandbox.acceptOwnNode in the profile."
  );
}
