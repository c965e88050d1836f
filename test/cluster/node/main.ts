import { describeError } from "../../../src/shared/errors.ts";
import { startNode, stopNodeNamed } from "./index.ts";

/** `node test/cluster/node/main.ts up|down [name]`: a node that outlives this command, for looking around. */
const [verb, name] = process.argv.slice(2);
const say = (line: string): void => console.log(line);

try {
  if (verb === "up") await up();
  else if (verb === "down") await stopNodeNamed(name);
  else throw new Error("say `up [name]` or `down [name]`");
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}

async function up(): Promise<void> {
  const node = await startNode({ log: say, ...(name === undefined ? {} : { name }) });
  say(`logs and files: ${node.folder}`);
  say(`look around:    export KUBECONFIG=${node.kubeconfigPath}; ${node.enter.join(" ")} kubectl get pods -A`);
}
