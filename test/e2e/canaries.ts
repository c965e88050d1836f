import type { NodePlace } from "../demo/node-place.ts";
import { release } from "../demo/release.ts";
import { notSecret } from "../integration/journey/world/canaries.ts";

interface Secret {
  metadata: { name: string; namespace: string };
  type: string;
  data?: Record<string, string>;
}

/** A part of a secret. It must not appear anywhere. */
export interface Canary {
  /** `namespace/name/key`. */
  from: string;
  /** The secret in plain text and in all encodings. */
  forms: string[];
}

/** Every secret, except certificates, which are public, and helm's release Secrets. */
export async function canaries(place: NodePlace): Promise<Canary[]> {
  const text = await place.kubectl(["get", "secrets", "-A", "-o", "json"]);
  const { items } = JSON.parse(text) as { items: Secret[] };
  return items
    .filter(({ type }) => !type.startsWith("helm.sh/"))
    .flatMap(({ metadata, data = {} }) =>
      Object.entries(data).flatMap(([key, value]) => {
        const forms = notSecret.has(key) ? [] : formsOf(Buffer.from(value, "base64").toString());
        return forms.length === 0 ? [] : [{ from: `${metadata.namespace}/${metadata.name}/${key}`, forms }];
      }),
    );
}

function formsOf(secret: string): string[] {
  if (secret.includes("PRIVATE KEY")) {
    // A line of its body, whichever way the lines are joined.
    const line = secret.split("\n").find((each) => each.length > 40 && !each.includes("-----"));
    return line === undefined ? [] : [line];
  }
  if (secret.includes("BEGIN CERTIFICATE") || secret.length < 16) return [];
  return [secret, Buffer.from(secret).toString("base64").replace(/=+$/, ""), encodeURIComponent(secret)];
}

/** Everything that people without rights to Secrets can read, by place. */
export async function surfaces(place: NodePlace, issue: number): Promise<Record<string, string>> {
  const objects =
    "agenttasks,agentprofiles,githubintegrations,pods,configmaps,events,networkpolicies,deployments,leases";
  const commands: Record<string, string[]> = { objects: ["get", objects, "-A", "-o", "json"] };
  const { items } = JSON.parse(await place.kubectl(["get", "pods", "-A", "-o", "json"])) as {
    items: { metadata: { name: string; namespace: string } }[];
  };
  for (const { metadata } of items) {
    commands[`logs of ${metadata.name}`] = ["logs", "-n", metadata.namespace, metadata.name, "--all-containers"];
  }
  const found: Record<string, string> = {};
  for (const [what, args] of Object.entries(commands)) {
    found[what] = await place.kubectl(args).catch((error: unknown) => String(error));
  }
  const repo = `/repos/${place.repository}`;
  found["comments"] = JSON.stringify(await place.rest(`${repo}/issues/${issue}/comments`));
  found["pull requests"] = JSON.stringify(await place.rest(`${repo}/pulls?state=all`));
  found["commits"] = await place.git("log", "--all", "-p", "--format=fuller");
  return found;
}

/** Namespaces with Bellhop's secrets. */
export const secretNamespaces = [release.namespace, release.brokerNamespace];
