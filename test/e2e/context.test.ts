import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildImages, startNode, type RealNode, type RunResult } from "../cluster/node/index.ts";
import { startRegistry, type Registry } from "./registry.ts";
import { onNode } from "./on-node.ts";

const root = join(import.meta.dirname, "..", "..");
const say = (line: string): void => console.log(line);

/** Runs `make demo CONTEXT=…` or `make demo-down CONTEXT=…` as a person whose kubectl reaches this cluster. */
function demo(node: RealNode, env: Record<string, string>, ...args: string[]): Promise<RunResult> {
  const argv = [join(root, "scripts", "node"), join(root, "test", "demo", "main.ts"), ...args];
  return node.exec(argv, { timeoutMs: 280_000, env: { CONTEXT: node.name, ...env }, onLine: say });
}

/** Namespaces that are not part of every cluster. */
async function namespaces(node: RealNode): Promise<string[]> {
  const names = await node.kubectl(["get", "namespaces", "-o", "jsonpath={.items[*].metadata.name}"]);
  return names.split(" ").filter((name) => name !== "default" && !name.startsWith("kube-"));
}

describe("the demo on somebody's cluster", () => {
  let node: RealNode;
  let registry: Registry;
  beforeAll(
    onNode(async () => {
      node = await startNode({ name: "context", log: say });
      registry = await startRegistry(node);
    }),
  );
  afterAll(() => node?.stop());

  it("pushes its images, runs the main job with GitHub as a pod, and removes everything", async () => {
    const ended = await demo(node, { REGISTRY: `${registry.address}/demo`, ...registry.env });
    expect(ended.stderr).toBe("");
    expect(ended.code).toBe(0);
    expect(ended.stdout.trimEnd().split("\n").at(-1)).toMatch(/^demo: ok, [\d.]+ s from delivery to answer$/);
    expect(await namespaces(node)).toEqual([]);
  });

  it("asks how to load the images, and changes nothing", async () => {
    const ended = await demo(node, {});
    expect({ code: ended.code, said: ended.stderr }).toEqual({
      code: 1,
      said: expect.stringMatching(/^demo: failed: nothing says how the images get to context: set REGISTRY=/) as string,
    });
    expect(await namespaces(node)).toEqual([]);
  });

  it("changes nothing on a cluster with an object of its name", async () => {
    await node.kubectl(["create", "namespace", "bellhop-system"]);
    const ended = await demo(node, { LOAD: "none" });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(
      /there is already namespace\/bellhop-system: the demo needs a cluster without Bellhop/,
    );
    expect(await namespaces(node)).toEqual(["bellhop-system"]);
  });
});

describe("the demo on a cluster that does not enforce network policies", () => {
  let node: RealNode;
  beforeAll(
    onNode(async () => {
      node = await startNode({ name: "context-open", networkPolicy: "ignored", log: say });
      const { bellhop, agent, testProviders } = await buildImages({ log: say });
      for (const { tar } of [bellhop, agent, testProviders]) await node.importImage(tar);
    }),
  );
  afterAll(() => node?.stop());

  it("stops with EgressNotEnforced, says what to do, and leaves nothing", async () => {
    const ended = await demo(node, { LOAD: "none" });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/^demo: failed: .*EgressNotEnforced/m);
    expect(ended.stderr).toMatch(/^To go on: install a network plugin that does/m);
    expect(await namespaces(node)).toEqual([]);
  });
});
