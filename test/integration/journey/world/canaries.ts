import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { GitHubIntegrationKind } from "../../../../src/api/github-integration.ts";
import { AgentProfileKind, AgentTaskKind } from "../../../../src/api/kinds.ts";
import { credentialFiles, type StoredCredential } from "../../../../src/controllers/agent-task/broker-secrets.ts";
import { createInformer } from "../../../../src/kube/informer.ts";
import { configMaps, events, pods, secrets } from "../../../../src/kube/resources.ts";
import { systemClock } from "../../../../src/shared/clock.ts";
import { silentLogger } from "../../../../src/shared/log.ts";
import { eventually } from "../../../cluster/eventually.ts";
import type { World } from "./index.ts";

/** Secrets by name: none of them may appear anywhere. */
export type Canaries = Map<string, string>;

/** Fields of a webhook's Secret that are not secret: its address, the integrations that share it, and the times of a rotation. */
export const notSecret = new Set([
  "route",
  "generation",
  "rotatedAt",
  "requestedAt",
  "installedAt",
  "keyed",
  "url",
  "installed",
  "proven",
]);

/** Collects the tokens of couriers until it is stopped: a token exists only as long as its pod. */
export function watchCourierTokens({ node }: World, into: Canaries): { stop(): void } {
  const look = (): void => {
    for (const path of globSync(join(node.folder, "pods", "*", "volumes", "token", "token"))) {
      const token = readText(path).trim();
      if (token.length > 100) into.set(`courier token ${into.size}`, token);
    }
  };
  const timer = setInterval(look, 250);
  return { stop: () => clearInterval(timer) };
}

/** Adds every current and past private key, webhook secret and GitHub token. */
export async function addSecrets({ client, github }: World, into: Canaries): Promise<void> {
  for (const { value } of github.tokens()) into.set(`GitHub token ${into.size}`, value);
  for (const { metadata, data = {} } of (await client.list(secrets)).items) {
    for (const [key, value] of Object.entries(data)) {
      const [line] = secretLines(Buffer.from(value, "base64").toString());
      if (line !== undefined && !notSecret.has(key)) into.set(`${metadata.name}/${key}`, line);
    }
  }
}

/** A line of a key's body, or the whole secret; no part of a certificate, which is public. */
function secretLines(text: string): string[] {
  if (text.includes("BEGIN CERTIFICATE")) return [];
  return text.split("\n").filter((line) => line.length >= 16 && !line.startsWith("-----"));
}

/** Everything that people without rights to Secrets can see, by place. */
export async function surfaces(world: World): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const kind of [AgentTaskKind, AgentProfileKind, GitHubIntegrationKind, pods, configMaps, events]) {
    found.set(kind.plural, JSON.stringify((await world.client.list<never>(kind as never)).items));
  }
  // A webhook's secret is set in this request, and nowhere else.
  const requests = world.github.requests.filter(({ path }) => path !== "/app/hook/config");
  found.set("requests to GitHub", JSON.stringify(requests));
  const files = [join(world.folder, "*.log"), join(world.node.folder, "*.log"), join(world.node.folder, "logs", "**")];
  for (const path of globSync(files)) if (statSync(path).isFile()) found.set(path, readText(path));
  return found;
}

/** Files on the volumes of a pod of the process node, except the courier's own token. */
export function volumeFiles(folder: string): Map<string, string> {
  const paths = globSync(join(folder, "volumes", "**"), { exclude: [join(folder, "volumes", "token", "**")] });
  return new Map(paths.filter((path) => statSync(path).isFile()).map((path) => [path, readText(path)]));
}

/** Places with a secret, in plain text or base64: `secret in place`. */
export function sightings(canaries: Canaries, places: Map<string, string>): string[] {
  return [...canaries].flatMap(([name, secret]) => {
    const forms = [secret, Buffer.from(secret).toString("base64").replace(/=+$/, "")];
    return [...places].flatMap(([place, text]) =>
      forms.some((form) => text.includes(form)) ? [`${name} in ${place}`] : [],
    );
  });
}

/** Every git token that is stored in the broker's namespace from now on. */
export interface StoredTokens {
  values: ReadonlySet<string>;
  stop(): void;
}

/** Collects them with a watch, which misses none. */
export async function watchStoredTokens({ client, brokerNamespace: namespace }: World): Promise<StoredTokens> {
  const values = new Set<string>();
  const watching = new AbortController();
  const informer = createInformer({ client, clock: systemClock, log: silentLogger }, secrets, { namespace });
  informer.onChange(({ current }) => {
    const files = Object.values(credentialFiles).flatMap((file) => current?.data?.[file] ?? []);
    for (const file of files)
      values.add((JSON.parse(Buffer.from(file, "base64").toString()) as StoredCredential).password);
  });
  informer.start(watching.signal);
  await informer.waitForSync(watching.signal);
  return { values, stop: () => watching.abort() };
}

/**
 * Waits until the broker's namespace contains nothing of any task, and every git token is revoked at GitHub. With `stored`, checks only the
 * tokens that were stored: if an operator is killed between minting and storing a token, nobody knows that token any more, and it expires
 * by itself.
 */
export async function nothingHeld({ client, github, brokerNamespace }: World, stored?: StoredTokens): Promise<void> {
  const probe = async (): Promise<true> => {
    const { items } = await client.list(secrets, { namespace: brokerNamespace });
    const held = items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith("task-"));
    // Git tokens can only read or write contents; the operator's own tokens have all permissions of the App.
    const forGit = github
      .tokens()
      .filter(({ permissions, value }) => isForGit(permissions) && (stored?.values.has(value) ?? true));
    const live = forGit.filter(({ revoked }) => !revoked);
    if (forGit.length === 0 || held.length + live.length > 0)
      throw new Error(`${held.join(", ")} and ${live.length} tokens are left`);
    return true;
  };
  await eventually(probe, { describe: "the tasks' tokens to be gone", timeoutMs: 60_000 });
}

function isForGit(permissions: Record<string, string>): boolean {
  return Object.keys(permissions).every((name) => name === "contents" || name === "metadata");
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The file was deleted meanwhile: nobody can see it any more.
    return "";
  }
}
