import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskSource } from "../../../src/api/agent-task.ts";
import { slackAppSpec, type SlackApp } from "../../../src/api/slack-app.ts";
import type { Connection, ThreadTarget } from "../../../src/integrations/connection.ts";
import type { OAuthGrant } from "../../../src/integrations/sign-in.ts";
import { createHttp } from "../../../src/integrations/http.ts";
import { connector } from "../../../src/integrations/slack/connect.ts";
import { systemClock, type Clock } from "../../../src/shared/clock.ts";
import { silentLogger, type Logger } from "../../../src/shared/log.ts";
import { startSlack, type MessageRef, type SlackStandIn } from "./index.ts";
import { populate } from "./testing.ts";

/** A stand-in for Slack with a workspace `acme`, and our provider signed in through the real HTTP client. */
export interface SlackSignedIn {
  slack: SlackStandIn;
  /** Id of the bot user. */
  bot: string;
  /** Id of the workspace. */
  team: string;
  /** An integration; the fields of `spec` override its own. */
  integration(spec?: Record<string, unknown>): SlackApp;
  /** Signs in with the bot token, or with the given one. Every sign-in has an HTTP client of its own, so that one test's failures do not open another's circuit. */
  connect(
    options?: ConnectOptions,
  ): Promise<Required<Pick<Connection, "identity" | "authorizer" | "source" | "thread">>>;
  close(): Promise<void>;
}

/** Differences of a sign-in from the usual one. */
export interface ConnectOptions {
  integration?: SlackApp;
  token?: string;
  clock?: Clock;
  log?: Logger;
  throttle?: boolean;
  /** The grants of the install flow. */
  grants?: readonly OAuthGrant[];
}

const usualSpec = {
  credentials: {
    botTokenSecretRef: { name: "slack", key: "token" },
    signingSecretRef: { name: "slack", key: "signing" },
  },
  codeHostRef: { kind: "GitHubIntegration", name: "acme" },
  triggers: [{ name: "mention", mention: {} }],
  profileRef: { name: "default" },
};

/** Starts the stand-in and signs in. The caller must close it. */
export async function startSlackSignedIn(): Promise<SlackSignedIn> {
  const slack = await startSlack();
  const { token, bot } = await populate(slack);
  const folder = mkdtempSync(join(tmpdir(), "slack-signed-in-"));
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, slack.ca ?? "");
  const clients: { close(): Promise<void> }[] = [];

  const integration: SlackSignedIn["integration"] = (spec = {}) => ({
    kind: "SlackApp",
    metadata: { name: "acme", namespace: "default", uid: "5b1f" },
    spec: slackAppSpec.parse({ ...usualSpec, url: slack.url, ...spec }),
    status: { bot: { id: bot, login: "bellhop", mention: "bellhop" } },
  });
  return {
    slack,
    bot,
    team: slack.installation().team.id,
    integration,
    async connect({
      integration: given = integration(),
      token: secret = token,
      clock,
      log,
      throttle = false,
      ...rest
    } = {}) {
      const deps = { clock: clock ?? systemClock, log: log ?? silentLogger };
      const http = createHttp({ caFile, allowedHosts: ["127.0.0.1"], ...deps });
      clients.push(http);
      const readSecret = (): Promise<Uint8Array> => Promise.resolve(Buffer.from(secret));
      const readGrants = (): Promise<readonly OAuthGrant[]> => Promise.resolve(rest.grants ?? []);
      const connection = await connector({ throttle })(given, { ...deps, readSecret, readGrants, fetch: http.fetch });
      const { identity, authorizer, source, thread } = connection;
      if (!thread) throw new Error("Slack has threads");
      return { identity, authorizer, source, thread };
    },
    close: async () => {
      await slack.close();
      for (const http of clients) await http.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The target of a task that a message triggered. */
export function aTarget(
  message: MessageRef,
  more: { team?: string; thread?: string; source?: Partial<TaskSource> } = {},
): ThreadTarget {
  const root = more.thread ?? message.ts;
  const at = new Date(Math.floor(Number(message.ts) * 1_000)).toISOString();
  return {
    source: {
      provider: "slack",
      cause: `slack/${more.team ?? "T1"}/${message.channel}/${message.ts}`,
      subject: { type: "Thread", key: `slack ${message.channel}/${root}` },
      object: { type: "Message", id: `${message.channel}/${message.ts}` },
      occurredAt: at,
      receivedAt: new Date().toISOString(),
      ...more.source,
    },
    conversation: `${more.team ?? "T1"}/${message.channel}/${root}`,
  };
}
