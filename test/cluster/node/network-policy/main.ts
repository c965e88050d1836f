import { watch, writeFileSync } from "node:fs";
import type { V1Namespace, V1NetworkPolicy, V1Pod } from "@kubernetes/client-node";
import { describeError } from "../../../../src/shared/errors.ts";
import { clusterAPI } from "./api.ts";
import { decide } from "./decide.ts";
import { createKernel } from "./kernel.ts";
import { render } from "./render.ts";
import { readSandboxes } from "./sandboxes.ts";

/**
 * `main.ts <kubeconfig> <requests> <ready file>`: enforces the NetworkPolicies of a cluster of one node, from inside its network. It reads
 * all objects again after each change, so that no rule is based on old objects when a pod waits for its rules. With one node this takes a
 * few milliseconds.
 */
const [kubeconfig = "", requests = "", readyFile = ""] = process.argv.slice(2);

const collections = {
  policies: "/apis/networking.k8s.io/v1/networkpolicies",
  pods: "/api/v1/pods",
  namespaces: "/api/v1/namespaces",
};

const api = clusterAPI(kubeconfig);
const kernel = createKernel();
const sandboxes = readSandboxes(requests);

let running = false;
let again = false;

for (const path of Object.values(collections)) void api.watch(path, changed);
watch(requests, (_event, name) => {
  if (name !== null && /\.(add|del)$/.test(name)) changed();
});
setInterval(changed, 5_000); // For missed changes and failed reconciles.
changed();

/** Runs one reconcile at a time. Changes during a reconcile cause one more. */
function changed(): void {
  again = true;
  if (!running) void loop();
}

async function loop(): Promise<void> {
  running = true;
  while (again) {
    again = false;
    await reconcile().catch((error: unknown) => console.error(new Date().toISOString(), describeError(error)));
  }
  running = false;
}

async function reconcile(): Promise<void> {
  if (sandboxes.read()) again = true; // The kernel may report two files with one event.
  const addresses = sandboxes.addresses();
  const [policies, pods, namespaces] = await Promise.all([
    api.list<V1NetworkPolicy>(collections.policies),
    api.list<V1Pod>(collections.pods),
    api.list<V1Namespace>(collections.namespaces),
  ]);
  await kernel.apply(render(decide({ policies, pods, namespaces, addresses })));
  sandboxes.answer();
  writeFileSync(readyFile, "");
}
