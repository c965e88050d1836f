import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adviceFor } from "../../src/operator/uninstall/advice.ts";
import { type ControlPlane, startControlPlane } from "../cluster/control-plane.ts";
import { eventually } from "../cluster/eventually.ts";
import { tool } from "../cluster/node/tools.ts";
import { chart, helm, release } from "./chart-world.ts";

/** There is no node, so the hook's Job never starts, as if its image could not be pulled. */
let plane: ControlPlane;
const where = (): string[] => ["--namespace", release.namespace, "--kubeconfig", plane.kubeconfigPath];
const image = ["--set", "image.repository=registry.example.com/bellhop"];

beforeAll(async () => {
  plane = await startControlPlane();
  helm("install", release.name, chart, ...where(), "--create-namespace", ...image);
});
afterAll(() => plane?.stop());

const [, keep = "", goOn = ""] = adviceFor({
  release: release.name,
  namespace: release.namespace,
  brokerNamespace: release.brokerNamespace,
})
  .split(/^\S.*\n/m)
  .filter((block) => block !== "");

function shell(script: string): string {
  const path = [join(tool("kubectl"), ".."), join(tool("helm"), ".."), process.env["PATH"]].join(":");
  const env = { ...process.env, PATH: path, KUBECONFIG: plane.kubeconfigPath };
  return execFileSync("sh", ["-ec", script], { encoding: "utf8", env, stdio: "pipe" });
}

/** Objects of the hook, by kind. */
const leftOfHook = (): string[] =>
  shell("kubectl get job,serviceaccount,role,rolebinding,clusterrole,clusterrolebinding -A -o name")
    .split("\n")
    .filter((line) => line.endsWith("/bellhop-uninstall"))
    .map((line) => line.replace(/[./].*/, ""))
    .sort();
const whole = [
  "clusterrole",
  "clusterrolebinding",
  "job",
  "role",
  "role",
  "rolebinding",
  "rolebinding",
  "serviceaccount",
];
const deployments = (): string[] => shell("kubectl get deployments -A -o name").trim().split("\n");

/** Two ways in which an uninstall ends before its Job has succeeded; by then the Job may have deleted the Deployments. */
async function failed(): Promise<void> {
  expect(() => helm("uninstall", release.name, ...where(), "--timeout", "1s")).toThrow(/bellhop-uninstall not ready/);
}
async function interrupted(): Promise<void> {
  const uninstall = spawn(tool("helm"), ["uninstall", release.name, ...where()], { stdio: "ignore" });
  const ended = once(uninstall, "exit");
  await eventually(() => isDeepStrictEqual(leftOfHook(), whole), { describe: "the whole hook" });
  uninstall.kill("SIGINT");
  await ended;
}

describe.each([
  ["failed", failed, ["job"]],
  ["was interrupted", interrupted, whole],
])("after an uninstall that %s", (_how, uninstall, left) => {
  it("the advice to keep Bellhop works: the hook's objects are removed, the Deployments exist again and upgrades work", async () => {
    await uninstall();
    expect(leftOfHook()).toEqual(left);
    shell(`kubectl delete deployment bellhop-gateway bellhop-operator --namespace ${release.namespace}`);
    shell(keep);
    expect(leftOfHook()).toEqual([]);
    expect(deployments()).toEqual(["broker", "gateway", "operator"].map((each) => expect.stringContaining(each)));
    helm("upgrade", release.name, chart, ...where(), ...image);
    expect(helm("status", release.name, ...where())).toContain("STATUS: deployed");
  });
});

describe("after another that was interrupted", () => {
  it("the advice to continue without the hook works: no object of the hook or of the release is left", async () => {
    await interrupted();
    expect(leftOfHook()).toEqual(whole);
    shell(goOn);
    expect(leftOfHook()).toEqual([]);
    expect(helm("list", "-q", ...where()).trim()).toBe("");
    expect(shell("kubectl get clusterroles -o name")).not.toContain("bellhop-");
  });
});
