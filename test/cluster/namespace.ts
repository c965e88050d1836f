import { randomBytes } from "node:crypto";
import { configMaps, namespaces, serviceAccounts } from "../../src/kube/resources.ts";
import type { KubeClient } from "../../src/kube/types.ts";

export { eventually } from "./eventually.ts";

/**
 * Creates a separate namespace for one test, with the `default` ServiceAccount and the `kube-root-ca.crt` ConfigMap
 * that pods need and that no controller creates here. Returns its name. It is not deleted: the control plane is temporary.
 */
export async function aNamespace(client: KubeClient, prefix = "test"): Promise<string> {
  const name = `${prefix}-${randomBytes(4).toString("hex")}`;
  await client.create(namespaces, { metadata: { name } });
  await client.create(serviceAccounts, { metadata: { name: "default", namespace: name } });
  await client.create(configMaps, { metadata: { name: "kube-root-ca.crt", namespace: name }, data: { "ca.crt": "" } });
  return name;
}
