import { agentProfileSpec } from "../api/agent-profile.ts";
import type { AgentProfile, AgentTask } from "../api/kinds.ts";
import { unexpected } from "../shared/testing.ts";
import type { PodSettings } from "./pod/settings.ts";
import type { SandboxSpec } from "./protocol/sandbox-spec.ts";
import type { SandboxProvider, SandboxRequest } from "./provider.ts";

/** Builders for tests of sandboxes. */
export function aProfile(spec: object = {}): AgentProfile {
  return {
    metadata: { name: "default", namespace: "team" },
    spec: agentProfileSpec.parse({
      agent: { type: "custom", image: "agents/fixer:1", command: ["fix", "--all"] },
      ...spec,
    }),
  };
}

export function aSandboxTask(name = "github-abc"): AgentTask {
  return {
    metadata: { name, namespace: "team", uid: "task-uid" },
    spec: {
      integrationRef: { kind: "GitHubIntegration", name: "github" },
      source: { provider: "github", cause: "issue_comment/1", subject: { type: "Issue", key: "acme/shop#1" } },
      actor: { id: "1", login: "ana" },
      conversation: "acme/shop#1",
      repository: { id: "7", host: "github.com", owner: "acme", name: "shop" },
      profileRef: { name: "default" },
    },
  };
}

export function aSandboxSpec(over: Partial<SandboxSpec> = {}): SandboxSpec {
  return {
    version: 1,
    task: { namespace: "team", name: "github-abc", uid: "task-uid" },
    attempt: 1,
    brokerURL: "https://bellhop-broker.bellhop.svc:8443",
    repository: { id: "7", host: "github.com", owner: "acme", name: "shop" },
    checkout: { headSHA: "a".repeat(40), branch: "bellhop/1-fix", baseRef: "main" },
    publish: { ref: "refs/heads/bellhop/1-fix" },
    commit: {
      author: { name: "Bellhop", email: "bellhop@example.com" },
      subject: "Fix the sum",
      trailers: [],
      date: "2026-01-01T00:00:00Z",
    },
    output: { protectedPaths: [], maxFiles: 100, maxPatchKiB: 100 },
    limits: { wallClockMs: 60_000, stallMs: 30_000, deadlineMs: Date.parse("2026-01-01T00:01:00Z") },
    egress: { probes: [], notProbed: [], acceptOwnNode: false },
    agent: { type: "custom", command: ["fix", "--all"] },
    ...over,
  };
}

export function aSandboxRequest(over: Partial<SandboxRequest> = {}): SandboxRequest {
  return {
    task: aSandboxTask(),
    profile: aProfile(),
    attempt: 1,
    spec: aSandboxSpec(),
    prompt: "fix it",
    context: "",
    remainingMs: 60_000,
    ...over,
  };
}

/** A provider without sandboxes; calls that change something fail. */
export function aSandboxProvider(over: Partial<SandboxProvider> = {}): SandboxProvider {
  return {
    backend: "pod",
    notIsolated: [],
    podName: ({ metadata }, attempt) => `${metadata.name}-sandbox-${attempt}`,
    ensure: unexpected("ensure"),
    observe: () => ({ state: "Missing" }),
    closed: async () => true,
    harvested: unexpected("harvested"),
    remove: unexpected("remove"),
    ...over,
  };
}

export function sandboxSettings(over: Partial<PodSettings> = {}): PodSettings {
  return {
    backend: "pod",
    image: "bellhop:test",
    imagePullSecrets: [],
    serviceAccountName: "default",
    broker: {
      host: "bellhop-broker.bellhop.svc",
      namespace: "bellhop",
      podLabels: { "app.kubernetes.io/component": "broker" },
      targetPort: 8443,
    },
    caCertificate: "-----BEGIN CERTIFICATE-----",
    brokerIP: "10.96.0.20",
    publishBudgetSeconds: 120,
    ...over,
  };
}
