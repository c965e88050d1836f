import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentTaskKind, type AgentTask } from "../../../../src/api/kinds.ts";
import { connect } from "../../../../src/kube/config.ts";
import { createInformer } from "../../../../src/kube/informer.ts";
import type { KubeConnection, Store } from "../../../../src/kube/types.ts";
import { systemClock } from "../../../../src/shared/clock.ts";
import { silentLogger } from "../../../../src/shared/log.ts";
import { startControlPlane, type ControlPlane } from "../../../cluster/control-plane.ts";
import { installCrds } from "../../../cluster/crds.ts";
import type { Daemon } from "../../../cluster/daemon.ts";
import { aNamespace } from "../../../cluster/namespace.ts";
import { startProcessNode, type ProcessNode } from "../../../cluster/process-node.ts";
import { startGitHub, type GitHubStandIn } from "../../../providers/github/index.ts";
import { startSlack, type SlackStandIn } from "../../../providers/slack/index.ts";
import { partNames, partsOf, type Installation, type Part } from "./parts.ts";

/** A whole installation on this machine: control plane, process node, stand-ins for GitHub and Slack, and each of Bellhop's processes. */
export interface World extends Installation {
  controlPlane: ControlPlane;
  client: KubeConnection;
  github: GitHubStandIn;
  slack: SlackStandIn;
  node: ProcessNode;
  /** Every task, as a watch shows it. */
  tasks: Store<AgentTask>;
  parts: Partial<Record<Part, Daemon>>;
  /** Base URL of the probes and metrics of a process. */
  probes: Readonly<Record<Part, string>>;
  /** Starts a process, or starts it again as after a crash or an upgrade. */
  start(part: Part): Promise<void>;
  /** SIGKILL: as a crash. */
  kill(part: Part): Promise<void>;
  /** Restarts processes that have exited, as a kubelet does: an operator exits if it cannot renew its Lease. */
  revive(): Promise<void>;
  /** The ends of all logs, for messages of failed tests; with `about` only lines that contain it, and crashes. */
  logs(about?: string): string;
  close(): Promise<void>;
}

/**
 * Starts a world with the people ana, bob and mallory in it; close it at the end. Takes about 10 s. `without` names processes that the
 * caller starts later.
 */
export async function startWorld({ without = [] }: { without?: readonly Part[] } = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "bellhop-journey-"));
  const [controlPlane, github, slack] = await Promise.all([startControlPlane(), startGitHub(), startSlack()]);
  const { kubeconfigPath } = controlPlane;
  const { client } = await connect({ kubeconfig: kubeconfigPath });
  const caFile = join(folder, "ca.pem");
  const [namespace, brokerNamespace, node] = await Promise.all([
    aNamespace(client, "bellhop"),
    aNamespace(client, "bellhop-broker"),
    startProcessNode({ kubeconfigPath }),
    installCrds(client),
    writeFile(caFile, `${github.ca ?? ""}\n${slack.ca ?? ""}`),
    ...["ana", "bob", "mallory"].map((login) => github.people.createUser({ login })),
  ]);
  const installation: Installation = { folder, kubeconfigPath, caFile, namespace, brokerNamespace };
  const { startPart, probes } = await partsOf(installation);
  const parts: World["parts"] = {};
  const watching = new AbortController();
  const informer = createInformer({ client, clock: systemClock, log: silentLogger }, AgentTaskKind);
  informer.start(watching.signal);
  const start = async (part: Part): Promise<void> => void (parts[part] = await startPart(part));
  const first = (["gateway", "broker", "operator"] as const).filter((part) => !without.includes(part));
  await Promise.all(first.map(start));
  return {
    ...installation,
    controlPlane,
    client,
    github,
    slack,
    node,
    tasks: informer.store,
    parts,
    probes,
    start,
    kill: (part) => killed(parts[part]),
    async revive() {
      const ended = partNames.filter((part) => parts[part]?.ending !== undefined);
      await Promise.all(ended.map(start));
    },
    logs: (about) => [...logsOf(parts, about), `--- node\n${node.tail()}`].join("\n"),
    async close() {
      watching.abort();
      await Promise.all(Object.values(parts).map((daemon) => daemon.stop(3_000)));
      await Promise.all([node.stop(), github.close(), slack.close(), client.close()]);
      await controlPlane.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function killed(daemon: Daemon | undefined): Promise<void> {
  if (daemon === undefined || daemon.ending !== undefined) return;
  process.kill(daemon.pid, "SIGKILL");
  await daemon.ended;
}

const lastLines = 25;

function logsOf(parts: World["parts"], about = ""): string[] {
  return Object.entries(parts).map(([name, daemon]) => {
    const lines = daemon.tail(5_000).split("\n");
    const matching = lines.filter((line) => line.includes(about) || !line.startsWith("{"));
    return [`--- ${name}`, ...matching.slice(-lastLines).map((line) => line.slice(0, 1_000))].join("\n");
  });
}
