import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startNode, type BuiltImages, type ExternalHost, type RealNode } from "../cluster/node/index.ts";
import { prepareNode } from "../cluster/node/prepare.ts";
import { tool } from "../cluster/node/tools.ts";
import { apiBehind } from "./api.ts";
import {
  adminCaller,
  adminPort,
  caller,
  edgeFlags,
  outsideTls,
  populate,
  standInFlags,
  writeTls,
  type Caller,
} from "./outside.ts";
import type { Place, Say, SlackPlace } from "./place.ts";
import { helmInstall, installationLogs, release } from "./release.ts";
import { applySamples, demoAgent } from "./samples.ts";
import { connectSlack } from "./slack-host.ts";
import { socketLeaseName } from "../../src/intake/socket-states.ts";
import { defined } from "../../src/shared/defined.ts";

/** Options of a place; two places at the same time need different names. */
export interface NodePlaceOptions {
  name: string;
  /** Whether something enforces NetworkPolicy; `enforced` by default. */
  networkPolicy?: "enforced" | "ignored";
  /** Whether the node keeps running when this process ends without closing it. */
  outlives?: boolean;
  /** Whether the place has a Slack workspace. */
  slack?: boolean;
  /** The agent's command in its image; test/agents are in `/agents`. */
  command?: string[];
  /** Merged into the profile's spec. */
  profile?: object;
  /** Folder of the chart; this checkout's by default. */
  chart?: string;
  say: Say;
}

/** A place with the functions that only a separate node offers. */
export interface NodePlace extends Place, Pick<Caller, "fail"> {
  node: RealNode;
  images: BuiltImages;
}

const team = "team";
const github = { name: "github", address: "203.0.113.10" };
const edge = { name: "edge", address: "203.0.113.20" };
const slack = { name: "slack", address: "203.0.113.30" };
const url = `https://${github.address}`;
const sources = join(import.meta.dirname, "..");
/** Strict values of the chart: network policies for Bellhop's own pods, and a random user id, as OpenShift chooses. */
const strict = {
  networkPolicies: { enabled: true },
  podSecurityContext: { runAsUser: 1_000_680_000, runAsGroup: 0 },
};

/** Starts the built-in node, installs Bellhop with its chart, starts GitHub on a host outside, and applies the samples. */
export async function nodePlace(options: NodePlaceOptions): Promise<NodePlace> {
  const { say, name, networkPolicy = "enforced", outlives = false } = options;
  const { daemons, images } = await prepareNode({ say });
  const node = await startNode({ name, networkPolicy, outlives, daemons, log: say });
  try {
    say("importing the images into the node");
    for (const { tar } of [images.bellhop, images.agent]) await node.importImage(tar);
    return await furnish(node, images, options);
  } catch (error) {
    await node.stop();
    throw error;
  }
}

/**
 * An earlier chart is installed with the image of today, whose processes read kinds and a Lease that the chart does not have yet: installs the CRDs
 * and lets the accounts read them.
 */
async function allowNewerKinds(kubectl: Place["kubectl"]): Promise<void> {
  // As helm created the CRDs of earlier charts.
  const file = join(import.meta.dirname, "../../config/crd/bellhop.dev_slackapps.yaml");
  await kubectl(["create", "--field-manager=helm", "-f", file]);
  const name = "newer-kinds";
  const role = ["--verb=get,list,watch", "--resource=slackapps.bellhop.dev"];
  await kubectl(["create", "clusterrole", name, ...role]);
  const group = `--group=system:serviceaccounts:${release.namespace}`;
  await kubectl(["create", "clusterrolebinding", name, `--clusterrole=${name}`, group]);
  const lease = "newer-lease";
  const named = [
    "--verb=get,list,watch",
    "--resource=leases.coordination.k8s.io",
    `--resource-name=${socketLeaseName}`,
  ];
  await kubectl(["create", "clusterrole", lease, ...named]);
  await kubectl(["create", "clusterrolebinding", lease, `--clusterrole=${lease}`, group]);
}

async function furnish(node: RealNode, images: BuiltImages, options: NodePlaceOptions): Promise<NodePlace> {
  const { say } = options;
  const kubectl: Place["kubectl"] = (args, input) => node.kubectl(args, defined({ input }));
  const folder = join(node.folder, "demo");
  mkdirSync(folder, { mode: 0o700 });
  const withSlack = options.slack === true;
  const tls = await outsideTls({
    github: github.address,
    edge: edge.address,
    ...(withSlack && { slack: slack.address }),
  });
  writeTls(folder, tls);
  const api = await startProxy(node, join(folder, "api.sock"));
  const place = (calls: Caller, gitDir: string): NodePlace => ({
    what: "the built-in node",
    namespace: team,
    repository: "acme/shop",
    mention: "@bellhop",
    bot: "bellhop[bot]",
    node,
    images,
    kubectl,
    api: (path) => api.get(path),
    ...calls,
    git: (...args) => checked(node, ["git", "-c", "safe.directory=*", "-C", gitDir, ...args]),
    around: lookAround(node),
    logs: () => installationLogs(kubectl, team),
    leave: () => api.close(),
    async close() {
      await api.close();
      await node.stop();
    },
  });
  try {
    const outside = await startGitHub(node, folder);
    say(`helm install ${release.name} (${images.bellhop.ref})`);
    const values = {
      image: images.bellhop.ref,
      externalURL: `https://${edge.address}`,
      providers: [
        { host: github.address, ca: tls.github.ca },
        ...(tls.slack ? [{ host: slack.address, ca: tls.slack.ca }] : []),
      ],
      clusterRanges: ["10.244.0.0/24", "10.96.0.0/16", `${node.address}/32`],
      // An earlier chart does not have these values.
      ...(options.chart === undefined ? { more: strict } : {}),
    };
    if (options.chart !== undefined) await allowNewerKinds(kubectl);
    const { args, input } = helmInstall(values, options.chart);
    await checked(node, [tool("helm"), ...args], input);
    await startEdge(node, kubectl, folder);
    say(`GitHub is ${url}, and reaches the gateway at https://${edge.address}`);
    const { app, gitDir } = await populate(outside);
    say("applying config/samples: a profile, a secret, an integration");
    const { command = demoAgent, profile = {} } = options;
    await applySamples(kubectl, team, { url, app, agent: { image: images.agent.ref, command }, profile });
    const furnished = place(outside, gitDir);
    if (!withSlack) return furnished;
    say(`starting Slack at https://${slack.address}: a workspace, and a SlackApp for it`);
    return { ...furnished, slack: await addSlack(node, folder, furnished) };
  } catch (error) {
    const logs = await installationLogs(kubectl, team);
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${logs}`, { cause: error });
  }
}

async function startProxy(node: RealNode, socket: string): Promise<ReturnType<typeof apiBehind>> {
  const proxy = node.start("kubectl-proxy", [tool("kubectl"), "proxy", `--unix-socket=${socket}`]);
  const api = apiBehind(socket);
  const answers = (): Promise<boolean> => api.get("/version").then(Boolean, () => false);
  await proxy.ready(answers, 20_000);
  return api;
}

async function startGitHub(node: RealNode, folder: string): Promise<Caller> {
  mkdirSync(join(folder, "github"));
  const host = await startStandIn(node, folder, "github", ["--state", join(folder, "github")]);
  const at = { node: process.execPath, url, caFile: join(folder, "github-ca.crt") };
  return caller((argv) => host.exec(argv), at);
}

async function addSlack(node: RealNode, folder: string, place: Place): Promise<SlackPlace> {
  const host = await startStandIn(node, folder, "slack");
  const client = adminCaller((argv) => host.exec(argv), process.execPath);
  return connectSlack({ ...place, url: `https://${slack.address}`, slack: client });
}

/** Starts a stand-in on a host outside the cluster, and returns the host when the stand-in is ready. */
async function startStandIn(
  node: RealNode,
  folder: string,
  name: "github" | "slack",
  more: readonly string[] = [],
): Promise<ExternalHost> {
  const { address } = { github, slack }[name];
  const host = await node.externalHost(name, address);
  const flags = standInFlags(name, { host: address, port: 443, url: `https://${address}`, tls: folder });
  const main = join(sources, "providers", name, "main.ts");
  const daemon = host.start(name, [process.execPath, main, ...flags, ...more]);
  await daemon.ready(() => listens(host, `127.0.0.1:${adminPort}`), 30_000);
  return host;
}

/** Providers need https and an address that is known before the installation; elsewhere an ingress provides both. */
async function startEdge(node: RealNode, kubectl: Place["kubectl"], folder: string): Promise<void> {
  const service = ["get", "service", "-n", release.namespace, "bellhop-gateway", "-o", "jsonpath={.spec.clusterIP}"];
  const host = await node.externalHost(edge.name, edge.address);
  const flags = edgeFlags({ host: edge.address, port: 443, tls: folder, to: `${await kubectl(service)}:80` });
  const daemon = host.start("edge", [process.execPath, join(sources, "providers", "edge.ts"), ...flags]);
  await daemon.ready(() => listens(host, `${edge.address}:443`), 20_000);
}

async function listens(host: ExternalHost, address: string): Promise<boolean> {
  const [ip = "", port = ""] = address.split(":");
  return (await host.exec(["bash", "-c", `exec 3<> /dev/tcp/${ip}/${port}`], { timeoutMs: 5_000 })).code === 0;
}

async function checked(node: RealNode, argv: readonly string[], input?: string): Promise<string> {
  const options = { timeoutMs: 240_000, ...(input !== undefined && { input }) };
  const result = await node.exec(argv, options);
  if (result.code === 0) return result.stdout;
  throw new Error(
    `${argv.slice(0, 3).join(" ")} ended with ${result.code}: ${(result.stderr || result.stdout).trim()}`,
  );
}

function lookAround(node: RealNode): string[] {
  const kubectl = [...node.enter, tool("kubectl")].join(" ");
  return [
    `export KUBECONFIG=${node.kubeconfigPath}`,
    `${kubectl} get agenttasks,pods -n ${team} -o wide`,
    `${kubectl} logs -n ${release.namespace} deployment/bellhop-operator`,
    `logs of the providers and of the daemons: ${node.folder}/logs`,
    "end it:  make demo-down",
  ];
}
