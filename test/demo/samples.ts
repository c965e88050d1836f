import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { until } from "../cluster/node/wait.ts";
import type { Place } from "./place.ts";

interface Sample {
  kind: string;
  metadata: Record<string, unknown> & { name: string };
  spec: Record<string, unknown>;
}

/** The demo's agent, in its image. */
export const demoAgent = ["/bin/sh", "/agents/demo.sh"];

/** Changes to the samples. */
export interface Adaptation {
  /** GitHub's web address. */
  url: string;
  app: { id: number; privateKey: string };
  agent: { image: string; command: string[] };
  /** Merged into the profile's spec. */
  profile?: object;
}

/** A `List` of the samples that a team with a GitHub App applies, with this GitHub and this agent in them. */
function adaptedSamples(given: Adaptation): string {
  const items = ["agent-profile.yaml", "github-app.yaml"].flatMap(read).map((object) => adapt(object, given));
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

function read(file: string): Sample[] {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "config", "samples", file), "utf8");
  return parseAllDocuments(text).map((document) => document.toJS() as Sample);
}

function adapt(object: Sample, given: Adaptation): object {
  const { url, app, agent, profile } = given;
  switch (object.kind) {
    case "AgentProfile":
      // A node with two cores cannot give a whole core and 4 GiB.
      return { ...object, spec: { ...object.spec, agent: { type: "custom", ...agent }, sandbox: {}, ...profile } };
    case "Secret": {
      const annotations = { "bellhop.dev/allowed-for": `GitHubIntegration/${new URL(url).host}` };
      return { ...object, metadata: { ...object.metadata, annotations }, stringData: { privateKey: app.privateKey } };
    }
    default: {
      const { credentials } = object.spec as { credentials: { app: object } };
      // No bots ask here, and an earlier chart does not know the sample's list of them.
      const { access: _, ...rest } = object.spec;
      const spec = { ...rest, url, credentials: { app: { ...credentials.app, appId: app.id } } };
      return { ...object, spec: { ...spec, webhook: { takeOver: true }, reporting: { updateEvery: "1s" } } };
    }
  }
}

/** Applies them to a namespace that enforces the restricted standard; returns when the integration is Ready. */
export async function applySamples(kubectl: Place["kubectl"], namespace: string, given: Adaptation): Promise<void> {
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  const team = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels } };
  await kubectl(["apply", "-f", "-"], JSON.stringify(team));
  await kubectl(["apply", "-n", namespace, "-f", "-"], adaptedSamples(given));
  await kubectl(["wait", "-n", namespace, "--for=condition=Ready", "--timeout=60s", "githubintegration/github"]);
  await until(() => kubectl(["get", "-n", namespace, "serviceaccount", "default", "-o", "name"]).catch(() => false), {
    what: "the namespace's service account",
    timeoutMs: 20_000,
  });
}
