import { readFile } from "node:fs/promises";
import type { Credentials } from "./pki.ts";

/** A kubeconfig that contains its certificates and keys, so that it works from any folder. Written as JSON, which is also YAML. */
export async function kubeconfigText(at: { url: string; caFile: string; credentials: Credentials }): Promise<string> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const ca = await readFile(at.caFile, "utf8");
  const { user, certificate, key } = at.credentials;
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server: at.url, "certificate-authority-data": base64(ca) } }],
    users: [{ name: user, user: { "client-certificate-data": base64(certificate), "client-key-data": base64(key) } }],
    contexts: [{ name: "test", context: { cluster: "test", user } }],
    "current-context": "test",
  });
}
