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

/** How long an address that answers is probed again, because network policies take effect some time after a pod starts. */
const patienceMs = 10_000;
const pauseMs = 500;

/** The addresses to probe: all of the spec, except the pod's own node if the profile accepts that the network plugin opens it. */
export function probesOf({ probes, acceptOwnNode }: SandboxSpec["egress"], hostIP: string | undefined): Probe[] {
  return probes.filter(({ host }) => !(acceptOwnNode && host === hostIP));
}

/** Probes the addresses for up to 10 s, and returns those that still answer. None means that egress is closed. */
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

/** Whether an address answers within 2 s: accepts a connection, or sends any reply to a DNS query. */
export function answers(probe: Probe): Promise<boolean> {
  return probe.protocol === "dns" ? answersDNS(probe) : answersTCP(probe);
}

/**
 * Whether an address accepts a TCP connection. A refused connection counts as no answer: some policy engines reject with a reset, so a reset
 * does not show whether the policy is enforced or no process listens.
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

/** Time until a query is sent again, because datagrams can be lost. */
const resendMs = 700;

/** Whether a name server sends any reply, even an error. A reply shows that queries leave the pod, and queries can carry data. */
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
      again = setInterval(ask, resendMs);
    });
    // A connected socket receives only replies of this address. There is no callback, because it would also get the error that a missing route causes.
    socket.connect(port, host);
  });
}

/** A query for `kubernetes.default.svc.cluster.local`, which the DNS of every cluster can answer. Format: RFC 1035, section 4.1. */
const question = Buffer.concat([
  // The id, the flag "recursion desired", and one question.
  Buffer.from("be1101000001000000000000", "hex"),
  ...["kubernetes", "default", "svc", "cluster", "local"].map((label) =>
    Buffer.from(`${String.fromCharCode(label.length)}${label}`),
  ),
  // The end of the name; type A, class IN.
  Buffer.from("0000010001", "hex"),
]);

/** The message if egress is open, with the possible fixes. */
export function egressMessage(open: readonly Probe[]): string {
  const which = open
    .map((probe) => `${probe.name} (${probe.host}:${probe.port}${probe.protocol === "dns" ? "/UDP" : ""})`)
    .join(", ");
  return (
    `The agent was not started: its pod could reach ${which}, although the sandbox's NetworkPolicy denies it. ` +
    "Use a network plugin that enforces NetworkPolicy for egress (for example Calico or Cilium), or remove other policies that open these " +
    "pods. If the plugin always opens the pod's own node, set sandbox.acceptOwnNode in the profile."
  );
}
