import { afterAll, beforeAll, expect, it } from "vitest";
import type { SlackApp } from "../../src/api/kinds.ts";
import { providers } from "../../src/integrations/registry.ts";
import { conformance, type Subject } from "./conformance.ts";
import { call } from "./github/testing.ts";
import { aSource, aTarget, startSignedIn } from "./signed-in.ts";
import { failing } from "./github/index.ts";
import { activeParts, failing as slackFailing } from "./slack/index.ts";
import { shownText } from "./slack/see.ts";
import { aTarget as slackTarget, startSlackSignedIn } from "./slack-signed-in.ts";

interface Running {
  subject: Subject;
  close: () => Promise<void>;
}

/** The table of subjects: starts the stand-in of each provider. A provider of the registry without a row is a type error. */
const subjects: Record<keyof typeof providers, () => Promise<Running>> = {
  github: gitHubSubject,
  slack: slackSubject,
};
const running = new Map<string, Running>();

beforeAll(async () => {
  for (const [name, start] of Object.entries(subjects)) running.set(name, await start());
}, 60_000);
afterAll(async () => {
  for (const { close } of running.values()) await close();
});

it("has a subject for every provider of the registry", () => {
  expect(Object.keys(subjects).sort()).toEqual(Object.keys(providers).sort());
});

for (const name of Object.keys(providers)) {
  conformance(name, () => {
    const found = running.get(name);
    if (!found) throw new Error(`there is no stand-in for provider ${name}`);
    return found.subject;
  });
}

/** Text that acts in a comment on GitHub, if it has its plain form. */
const activeOnGitHub = [
  "@octocat",
  "@everyone",
  "@U0123",
  "fixes #1",
  "![",
  "<img",
  "](https://evil",
  "https://evil",
  "<!--",
  "\n/approve",
];

async function gitHubSubject(): Promise<Running> {
  const world = await startSignedIn();
  const integration = world.integration();
  const { repository } = world;
  const token = await world.github.people.createUserToken({ login: "ana" });
  const { body: ana } = await call(world.github, "GET /users/ana", token);
  const subject: Subject = {
    provider: providers.github,
    integration,
    connection: await world.connect(integration),
    capabilities: ["source", "thread", "codeHost", "hooks", "missed"],
    host: repository.host,
    contentTypes: ["application/json"],
    covered: { repository: { ...repository, private: true } },
    foreign: [{ repository: { ...repository, owner: "somebody", name: "else", private: true } }, {}],
    repository,
    allowed: { id: String(ana["id"]), login: "ana" },
    unknown: { id: "1", login: "nobody" },
    openThread: async () => {
      const issue = await world.github.people.openIssue({ as: "ana", repo: "acme/shop", title: "A subject" });
      return aTarget(world, aSource("Issue", issue.id, { number: issue.number }));
    },
    request: (mention, words) => `@${mention} ${words}`,
    shown: async (_target, id) => {
      const { status, body } = await call(world.github, `GET /repos/acme/shop/issues/comments/${id}`, token);
      return status === 404 ? undefined : String(body["body"]).replace(/\n\n<!-- bellhop:[^\n]* -->$/, "");
    },
    active: (shown) => activeOnGitHub.filter((text) => shown.includes(text)),
    connectWrongly: async () => {
      const secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
      const credentials = { token: { secretRef: { name: "token", key: "t" } } };
      return { connection: await world.connect(world.integration({ credentials }), secret), secret };
    },
    failOnce: () => void world.github.fail({}, failing.badGateway(), { times: 1 }),
  };
  return { subject, close: () => world.close() };
}

async function slackSubject(): Promise<Running> {
  const world = await startSlackSignedIn();
  const { slack, team } = world;
  const integration: SlackApp = {
    ...world.integration(),
    status: { installations: [{ id: team, account: "acme" }] },
  };
  const message = await slack.person("ana").posts("shop", "hello");
  const connection = await world.connect({ integration });
  const ana = await connection.source.reread(slackTarget(message, { team }), new AbortController().signal);
  const channel = { id: message.channel, type: "Public" } as const;
  const subject: Subject = {
    provider: providers.slack,
    integration,
    connection,
    capabilities: ["source", "thread"],
    host: new URL(slack.url).host,
    contentTypes: ["application/json", "application/x-www-form-urlencoded"],
    covered: { installationId: team, channel },
    foreign: [{ installationId: "T999", channel }, {}],
    allowed: { id: ana.found ? ana.actor.id : "", login: "ana" },
    unknown: { id: "U999", login: "nobody" },
    openThread: async () => slackTarget(await slack.person("ana").posts("shop", "A subject"), { team }),
    request: (_mention, words) => `<@${world.bot}> ${words}`,
    shown: async ({ conversation }, id) => {
      const thread = conversation.split("/").at(-1) ?? "";
      const found = slack.messages("shop", { thread }).find(({ ts }) => ts === id);
      return found && shownText(found);
    },
    active: () => activeParts(slack.messages("shop").at(-1) ?? { text: "", blocks: [] }).map(({ text }) => text),
    connectWrongly: async () => {
      const secret = "xoxb-0-0-wrong";
      return { connection: await world.connect({ integration, token: secret }), secret };
    },
    failOnce: () => void slack.fail({}, slackFailing.badGateway(), { times: 1 }),
  };
  return { subject, close: () => world.close() };
}
