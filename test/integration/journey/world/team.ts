import { join } from "node:path";
import { agentProfileSpec } from "../../../../src/api/agent-profile.ts";
import {
  gitHubIntegrationSpec,
  GitHubIntegrationKind,
  type GitHubIntegration,
} from "../../../../src/api/github-integration.ts";
import type { Kind } from "../../../../src/api/kind.ts";
import type { SlackApp } from "../../../../src/api/slack-app.ts";
import { AgentProfileKind } from "../../../../src/api/kinds.ts";
import { secrets } from "../../../../src/kube/resources.ts";
import { aNamespace, eventually } from "../../../cluster/namespace.ts";
import { call } from "../../../providers/github/testing.ts";
import type { World } from "./index.ts";
import { checkout } from "./parts.ts";

/** An organisation at GitHub with its own App, and the namespace with its integration and profile. */
export interface Team {
  world: World;
  org: string;
  /** `org/shop`, with a README. */
  repo: string;
  namespace: string;
  /** The integration's name, in `namespace`. */
  integration: string;
  /** The mention of the bot: `@…`. */
  mention: string;
  /** Login of the bot's account. */
  bot: string;
  /** The App's installation on the organisation. */
  installation: number;
  /** Reads GitHub's REST interface as ana, who owns the organisation. */
  read<T>(path: `/${string}`): Promise<T>;
}

/** Differences from the default team. */
export interface TeamOptions {
  /** The profile's spec; by default it has the demo's agent. */
  profile?: object;
  /** The integration's spec. */
  integration?: object;
  /** Files of `org/shop`; null leaves it empty. */
  files?: Record<string, string> | null;
  /** The App's slug; `<org>-bell` by default. */
  app?: string;
}

/** An agent of test/agents, as a command. */
export function agent(script: Script, ...args: string[]): object {
  return { type: "custom", image: "agent:test", command: agentCommand(script, ...args) };
}

type Script = "demo.sh" | "hostile.sh" | "gated.sh";

/** The same as an argument list. */
export function agentCommand(script: Script, ...args: string[]): string[] {
  return ["/bin/sh", join(checkout, "test", "agents", script), ...args];
}

/** An agent that waits until a file exists: it works as long as a test needs. */
export function gated(gate: string): object {
  return agent("gated.sh", gate);
}

/** Creates a team and waits until its integration is ready. Ana owns the organisation, bob may write. */
export async function aTeam(world: World, org: string, options: TeamOptions = {}): Promise<Team> {
  const { github, client } = world;
  const repo = `${org}/shop`;
  const slug = options.app ?? `${org}-bell`;
  const app = { slug, owner: org, webhookUrl: "http://127.0.0.1:9/hook", webhookSecret: "before us" };
  await github.people.createOrg({ login: org, members: { ana: "admin" } });
  const files = options.files === null ? {} : { files: options.files ?? { "README.md": "# Shop\n" } };
  await github.people.createRepo({ repo, ...files });
  await github.people.setPermission({ repo, login: "bob", role: "write" });
  await github.people.createApp(app);
  const { id: installation } = await github.people.installApp({ app: slug, on: org });
  const token = await github.people.createUserToken({ login: "ana" });
  const team: Team = {
    world,
    org,
    repo,
    namespace: await aNamespace(client, org),
    integration: org,
    mention: `@${slug}`,
    bot: `${slug}[bot]`,
    installation,
    read: async <T>(path: `/${string}`) => (await call<T>(github, `GET ${path}`, token)).body,
  };
  await integrate(team, slug, options);
  return team;
}

/** Replaces the team's profile. */
export async function changeProfile({ world: { client }, namespace }: Team, spec: object): Promise<void> {
  const current = await client.get(AgentProfileKind, { namespace, name: "default" });
  await client.replace(AgentProfileKind, { ...current, spec: profileSpec(spec) });
}

function profileSpec(spec: object) {
  return agentProfileSpec.parse({ agent: agent("demo.sh"), ...spec });
}

async function integrate({ world, namespace, org }: Team, slug: string, options: TeamOptions): Promise<void> {
  const { client, github } = world;
  const app = github.app(slug);
  const annotations = { "bellhop.dev/allowed-for": `GitHubIntegration/${new URL(github.url).host}` };
  const privateKeySecretRef = { name: "github-app", key: "key" };
  await client.create(secrets, {
    metadata: { name: "github-app", namespace, annotations },
    stringData: { key: app.privateKey },
  });
  await client.create(AgentProfileKind, {
    metadata: { name: "default", namespace },
    spec: profileSpec(options.profile ?? {}),
  });
  const spec = gitHubIntegrationSpec.parse({
    url: github.url,
    organization: org,
    credentials: { app: { appId: app.id, privateKeySecretRef } },
    webhook: { takeOver: true },
    profileRef: { name: "default" },
    triggers: [
      { name: "mention", mention: {} },
      { name: "label", label: { name: "bellhop" } },
      { name: "checks", failedChecks: {} },
    ],
    reporting: { updateEvery: "1s" },
    ...options.integration,
  });
  await client.create(GitHubIntegrationKind, { metadata: { name: org, namespace }, spec });
  await ready(world, GitHubIntegrationKind, { namespace, name: org });
}

/** Waits until an integration is ready. */
export async function ready<T extends GitHubIntegration | SlackApp>(
  world: World,
  kind: Kind<T>,
  key: { namespace: string; name: string },
): Promise<void> {
  const probe = async (): Promise<true> => {
    const { status } = await world.client.get(kind, key);
    const isReady = status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True");
    if (!isReady) throw new Error(`its conditions are ${JSON.stringify(status?.conditions)}\n${world.logs()}`);
    return true;
  };
  await eventually(probe, { describe: `integration ${key.name} to be Ready`, timeoutMs: 90_000, everyMs: 200 });
}
