import { rename, writeFile } from "node:fs/promises";
import type { Pod } from "../../../src/kube/resources.ts";
import { serviceAccounts } from "../../../src/kube/resources.ts";
import type { KubeClient } from "../../../src/kube/types.ts";

/** A service account token that a volume of a pod requests. */
export interface TokenRequest {
  file: string;
  audience: string | undefined;
  expirationSeconds: number;
}

/**
 * Mints a token that is bound to the pod, and replaces the token file atomically. Returns when to renew it: after 80 % of its lifetime, as
 * kubelets do.
 */
export async function mintToken(client: KubeClient, pod: Pod, request: TokenRequest): Promise<{ lifetimeMs: number }> {
  const { name, namespace = "", uid } = pod.metadata;
  const account = { namespace, name: pod.spec?.serviceAccountName ?? "default" };
  const answer = await client.createSubresource<TokenAnswer>(serviceAccounts, account, "token", {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: {
      audiences: request.audience === undefined ? [] : [request.audience],
      expirationSeconds: request.expirationSeconds,
      boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
    },
  });
  const temporary = `${request.file}.new`;
  await writeFile(temporary, answer.status.token, { mode: 0o600 });
  await rename(temporary, request.file);
  return { lifetimeMs: (new Date(answer.status.expirationTimestamp).getTime() - Date.now()) * 0.8 };
}

interface TokenAnswer {
  status: { token: string; expirationTimestamp: string };
}
