import { describeError } from "../../src/shared/errors.ts";
import { tryRun, type RunResult } from "../cluster/node/run.ts";
import { tool } from "../cluster/node/tools.ts";
import { bringImages, loadingFrom, type ImageNames } from "./load.ts";
import { localProxy } from "./local-proxy.ts";
import { outsideTls, populate } from "./outside.ts";
import { execInGitHub, outsideNamespace, outsideServices, startOutsidePods } from "./outside-pods.ts";
import type { Place, Say } from "./place.ts";
import { helmInstall, installationLogs, release } from "./release.ts";
import { applySamples, demoAgent } from "./samples.ts";

const team = "bellhop-demo";
const outsideLogs = ["github", "edge"].map((pod) => ["logs", "-n", outsideNamespace, pod, "--tail=20"]);
const crds = ["agentprofiles", "agenttasks", "githubintegrations", "slackapps"].map(
  (plural) => `${plural}.bellhop.dev`,
);

/** A cluster that kubectl reaches, by context. */
interface Reach {
  context: string;
  run: (tool: "kubectl" | "helm", args: readonly string[], input?: string) => Promise<RunResult>;
  kubectl: Place["kubectl"];
}

/** Installs Bellhop on somebody's cluster, with GitHub as a pod; `close` removes everything that it created. */
export async function contextPlace(env: NodeJS.ProcessEnv, say: Say): Promise<Place> {
  const loading = loadingFrom(env);
  const reach = reachOf(loading.context);
  await mustBeFree(reach);
  const images = await bringImages(loading, say);
  try {
    return await furnish(reach, images, say);
  } catch (error) {
    const logs = await installationLogs(reach.kubectl, team, outsideLogs);
    const left = await removeFrom(reach, say).catch(describeError);
    throw new Error([describeError(error), logs, left].filter(Boolean).join("\n"), { cause: error });
  }
}

/** Removes everything that a demo left on the cluster of this context. */
export async function clearContext(context: string, say: Say): Promise<void> {
  await removeFrom(reachOf(context), say);
}

async function furnish(reach: Reach, images: ImageNames, say: Say): Promise<Place> {
  const { kubectl, context } = reach;
  const services = await outsideServices(kubectl);
  const tls = await outsideTls(services);
  const url = `https://${services.github}`;
  say(`helm install ${release.name} (${images.bellhop})`);
  const { args, input } = helmInstall({
    image: images.bellhop,
    externalURL: `https://${services.edge}`,
    providers: [{ host: services.github, ca: tls.github.ca }],
    clusterRanges: [],
  });
  const installed = await reach.run("helm", args, input);
  if (installed.code !== 0) throw new Error(`helm install failed: ${installed.stderr.trim()}`);
  const gateway = ["get", "service", "-n", release.namespace, "bellhop-gateway", "-o", "jsonpath={.spec.clusterIP}"];
  say("starting GitHub as a pod");
  const exec = (argv: readonly string[]): Promise<RunResult> => reach.run("kubectl", execInGitHub(argv));
  const pods = { image: images.testProviders, tls, url, gateway: `${await kubectl(gateway)}:80` };
  const outside = await startOutsidePods({ kubectl, exec }, pods);
  const { app, gitDir } = await populate(outside);
  say("applying config/samples: a profile, a secret, an integration");
  await applySamples(kubectl, team, { url, app, agent: { image: images.agent, command: demoAgent } });
  const api = await localProxy([`--context=${context}`], process.env);
  return {
    what: `the cluster of context ${context}`,
    namespace: team,
    repository: "acme/shop",
    mention: "@bellhop",
    bot: "bellhop[bot]",
    kubectl,
    api: (path) => api.get(path),
    ...outside,
    git: (...gitArgs) => kubectl(execInGitHub(["git", "-C", gitDir, ...gitArgs])),
    around: [
      `kubectl --context=${context} get agenttasks,pods -n ${team} -o wide`,
      `kubectl --context=${context} logs -n ${release.namespace} deployment/bellhop-operator`,
      `end it:  make demo-down CONTEXT=${context}`,
    ],
    logs: () => installationLogs(kubectl, team, outsideLogs),
    leave: () => api.close(),
    async close() {
      await api.close();
      await removeFrom(reach, say);
    },
  };
}

function reachOf(context: string): Reach {
  const run: Reach["run"] = (name, args, input) => {
    const flag = name === "kubectl" ? `--context=${context}` : `--kube-context=${context}`;
    return tryRun([tool(name), flag, ...args], { timeoutMs: 240_000, ...(input !== undefined && { input }) });
  };
  return {
    context,
    run,
    async kubectl(args, input) {
      const result = await run("kubectl", args, input);
      if (result.code === 0) return result.stdout;
      throw new Error(`kubectl ${args.join(" ").slice(0, 200)} ended with ${result.code}: ${result.stderr.trim()}`);
    },
  };
}

/** Refuses a cluster on which Bellhop is installed, because the demo must not change other people's objects. */
async function mustBeFree({ context, kubectl }: Reach): Promise<void> {
  const names = `namespaces/${release.namespace} namespaces/${release.brokerNamespace} namespaces/${team} namespaces/${outsideNamespace}`;
  const found = await kubectl([
    "get",
    ...names.split(" "),
    ...crds.map((crd) => `crd/${crd}`),
    "-o",
    "name",
    "--ignore-not-found",
  ]);
  if (found.trim() === "") return;
  throw new Error(
    `on ${context} there is already ${found.trim().split("\n").join(", ")}: the demo needs a cluster without Bellhop. ` +
      `To remove an earlier demo, run: make demo-down CONTEXT=${context}`,
  );
}

/**
 * Removes a demo only if its marker exists: our namespace, which is created first and deleted last. Integrations need the operator for their
 * deletion, and policies need their parameters. If a step fails, the later steps and the marker stay, so that the removal can be repeated.
 */
async function removeFrom({ context, kubectl, run }: Reach, say: Say): Promise<void> {
  const marker = await kubectl(["get", "namespace", outsideNamespace, "-o", "name", "--ignore-not-found"]);
  if (marker.trim() === "") return say(`there is no demo on ${context}`);
  say("removing the demo");
  const kept = ["validatingadmissionpolicy,validatingadmissionpolicybinding", "bellhop-policy-parameters"];
  const steps: (() => Promise<unknown>)[] = [
    () => deleteOurs(kubectl),
    () => uninstall(run),
    () => kubectl(["delete", "namespace", team, release.namespace, "--ignore-not-found", "--timeout=90s"]),
    () => kubectl(["delete", "crd", ...crds, "--ignore-not-found", "--timeout=60s"]),
    () => kubectl(["delete", "namespace", outsideNamespace, "--timeout=90s"]),
  ];
  for (const step of steps) {
    await step().catch((error: unknown) => {
      const again = `the demo could not be removed completely from ${context}: ${describeError(error)}\nFix the cause, then run: make demo-down CONTEXT=${context}`;
      throw new Error(again, { cause: error });
    });
  }
  say(`kept (the chart's README explains why); to remove it: kubectl delete ${kept.join(" ")}`);
}

/** If the installation failed early, these kinds do not exist. */
async function deleteOurs(kubectl: Reach["kubectl"]): Promise<void> {
  const known = await kubectl(["get", "crd", ...crds, "-o", "name", "--ignore-not-found"]);
  if (known.trim().split("\n").length < crds.length) return;
  await kubectl(["delete", "agenttasks,githubintegrations,slackapps", "--all", "-n", team, "--timeout=60s"]);
}

/** Runs without the hook: tasks and integrations are deleted already, and perhaps the cluster cannot pull the hook's image. */
async function uninstall(run: Reach["run"]): Promise<void> {
  const where = [release.name, "--namespace", release.namespace];
  const args = ["uninstall", ...where, "--no-hooks", "--ignore-not-found", "--wait"];
  const { code, stderr } = await run("helm", args);
  if (code !== 0) throw new Error(`helm uninstall ended with ${code}: ${stderr.trim()}`);
}
