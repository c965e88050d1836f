import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { type Clock, sleep } from "../../shared/clock.ts";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";

/** An address that must not answer. */
export type Probe = SandboxSpec["egress"]["probes"][number];

/** Dependencies of the probe; `answers` returns whether an address answered. */
export interface ProbeDeps {
  clock: Clock;
  answers(probe: Probe): Promise<boolean>;
}

/** Network policies reach a new pod's node with a delay; an address that answers is tried again for this long. */
const patienceMs = 10_000;
const pauseMs = 500;

/** Addresses to probe: all that are named, except the pod's own node if the profile accepts that network plugins open it. */
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

const answerTimeoutMs = 2000;

/** Whether an address answers within 2 s: takes a connection, or says anything to a question for a name. */
export function answers(probe: Probe): Promise<boolean> {
  return probe.protocol === "dns" ? answersDNS(probe) : answersTCP(probe);
}

/**
 * Whether an address takes a TCP connection. A refusal counts as no answer: some policy engines reject with a reset, so it
 * does not tell an enforced policy from an open one with nobody listening.
 */
function answersTCP({ host, port }: Probe): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: answerTimeoutMs });
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}

/** Datagrams get lost; the question is put again after this long. */
const askAgainMs = 700;

/** Whether a name server says anything, be it an error: what carries questions out carries words out. */
function answersDNS({ host, port }: Probe): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    let again: NodeJS.Timeout | undefined;
    const ask = (): void => socket.send(question, () => {});
    const timeout = setTimeout(() => end(false), answerTimeoutMs);
    const end = (answered: boolean): void => {
      clearInterval(again);
      clearTimeout(timeout);
      socket
        .removeAllListeners()
        .on("error", () => {})
        .close();
      resolve(answered);
    };
    socket.once("message", () => end(true));
    socket.once("error", () => end(false));
    socket.once("connect", () => {
      ask();
      again = setInterval(ask, askAgainMs);
    });
    // Connected, so that only its answers are heard. A callback would be given the error as well: without a route there is one at once.
    socket.connect(port, host);
  });
}

/** The address of `kubernetes.default.svc.cluster.local`, which a cluster's own server knows (RFC 1035, section 4.1). */
const question = Buffer.concat([
  // An id, "recursion desired", one question.
  Buffer.from("be1101000001000000000000", "hex"),
  ...["kubernetes", "default", "svc", "cluster", "local"].map((label) =>
    Buffer.from(`${String.fromCharCode(label.length)}${label}`),
  ),
  // The name's end; type A, class IN.
  Buffer.from("0000010001", "hex"),
]);

/** The message for an open egress, with the possible fixes. */
export function egressMessage(open: readonly Probe[]): string {
  const which = open
    .map((probe) => `${probe.name} (${probe.host}:${probe.port}${probe.protocol === "dns" ? "/UDP" : ""})`)
    .join(", ");
  return (
    `The agent was not started: from its pod, ${which} could be reached, which the sandbox's NetworkPolicy denies. ` +
    "Use a network plugin that enforces NetworkPolicy for egress (for example Calico or Cilium), remove foreign policies that open these " +
    "pods, or, where the plugin always opens the pod's own node, set sandbox.acceptOwnNode in the profile."
  );
}
