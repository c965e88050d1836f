import { describeError } from "../../../src/shared/errors.ts";
import { buildImages, type BuiltImages, nodeSupport, startNode, stopNodeNamed } from "./index.ts";
import { installPrerequisites } from "./prerequisites.ts";
import { tool } from "./tools.ts";
import { defined } from "../../../src/shared/defined.ts";

/**
 * `node test/cluster/node/main.ts up|down [name]`: a node that keeps running after this command, for inspection. `prerequisites`: installs
 * the prerequisites of a node. `images`: builds the images, and prints their names, archives and uses.
 */
const [verb = "", name] = process.argv.slice(2);
const say = (line: string): void => console.log(line);
const verbs: Record<string, () => Promise<void>> = { up, down: () => stopNodeNamed(name), prerequisites, images };
const purposes: Record<keyof BuiltImages, string> = {
  bellhop: "Bellhop itself: push it, and set the chart's image.repository and image.tag",
  agent: "the demo agent of config/samples: push it, and set spec.agent.image of the AgentProfile `default`",
  testProviders: "a GitHub stand-in for `make demo CONTEXT=…`: no part of an installation",
};

try {
  const action = verbs[verb];
  if (!action) throw new Error("unknown command: use `up [name]`, `down [name]`, `prerequisites` or `images`");
  await action();
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}

async function up(): Promise<void> {
  const node = await startNode({ log: say, outlives: true, ...defined({ name }) });
  say(`logs and files: ${node.folder}`);
  say(`inspect it:     export KUBECONFIG=${node.kubeconfigPath}; ${node.enter.join(" ")} kubectl get pods -A`);
}

async function prerequisites(): Promise<void> {
  const support = await nodeSupport();
  if (!support.ok) throw new Error(support.reason);
  await installPrerequisites("node", say);
  await installPrerequisites("images", say);
  say(`prerequisites: ok (kubectl: ${tool("kubectl")}, helm: ${tool("helm")})`);
}

async function images(): Promise<void> {
  for (const [name, { ref, tar }] of Object.entries(await buildImages({ log: say }))) {
    say(`${ref} ${tar}`);
    say(`  ${purposes[name as keyof BuiltImages]}`);
  }
}
