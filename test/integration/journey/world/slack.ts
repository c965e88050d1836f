import { slackAppSpec, SlackAppKind, type SlackApp } from "../../../../src/api/slack-app.ts";
import { secrets } from "../../../../src/kube/resources.ts";
import { eventually } from "../../../cluster/namespace.ts";
import type { MessageRef, Person, SeenMessage } from "../../../providers/slack/index.ts";
import { ready, type Team } from "./team.ts";

/** A workspace whose Slack app works on the repositories of a team, with a channel. */
export interface SlackTeam {
  team: Team;
  /** A public and a private channel with ana and bob. Bob has an account at GitHub, with write access. */
  channel: string;
  secret: string;
  ana: Person;
  bob: Person;
  /** The bot's messages in the thread of a message, oldest first. */
  botMessages(message: MessageRef): SeenMessage[];
  /** The newest message with the menu that only this person sees in the thread of a message; undefined if there is none. */
  questionTo(message: MessageRef, person: Person): SeenMessage | undefined;
  /** Waits for it. */
  personalQuestion(message: MessageRef, person: Person): Promise<SeenMessage>;
  /** Chooses a repository in the menu that only this person sees, once it is there. */
  chooses(message: MessageRef, person: Person, repository: string): Promise<void>;
  /** Waits until the bot's first message in a thread is as wanted. */
  untilReport(message: MessageRef, describe: string, wanted: (report: SeenMessage) => boolean): Promise<SeenMessage>;
}

const bot = "bellhop";

/** The spec of a SlackApp whose secrets are in `slack-app`. `people` have accounts at the code host. */
export function slackAppFor(given: {
  url: string;
  codeHost: string;
  people: object[];
  socketMode?: boolean;
  repositories?: object[];
}): SlackApp["spec"] {
  const { url, codeHost, people, socketMode = false, repositories } = given;
  return slackAppSpec.parse({
    url,
    credentials: {
      botTokenSecretRef: { name: "slack-app", key: "token" },
      ...(socketMode
        ? { appTokenSecretRef: { name: "slack-app", key: "app" } }
        : { signingSecretRef: { name: "slack-app", key: "signing" } }),
    },
    codeHostRef: { kind: "GitHubIntegration", name: codeHost },
    ...(repositories ? { repositories } : {}),
    triggers: [
      { name: "mention", mention: {} },
      { name: "direct", directMessage: {} },
      { name: "command", slashCommand: {} },
    ],
    profileRef: { name: "default" },
    access: { people },
    reporting: { updateEvery: "1s" },
  });
}

/**
 * Installs a Slack app in a new workspace, connects it with a SlackApp of the team's namespace, and waits until it is ready. The repositories
 * `ofSecret` are mapped to the private channel.
 */
export async function aSlackTeam(
  team: Team,
  { socketMode = false, ofSecret = [] }: { socketMode?: boolean; ofSecret?: string[] } = {},
): Promise<SlackTeam> {
  const { slack, client } = team.world;
  const channel = "shop";
  await slack.people.createTeam({ domain: "acme" });
  await slack.people.createUser({ name: "ana" });
  const bob = await slack.people.createUser({ name: "bob" });
  const { id } = await team.read<{ id: number }>("/users/bob");
  const app = await slack.people.createApp({
    name: bot,
    socketMode,
    commands: { "/bellhop": "http://127.0.0.1:9/unset" },
  });
  const { token } = await slack.people.installApp({ by: "ana" });
  await slack.people.createChannel({ name: channel, members: ["ana", "bob", bot] });
  const secret = await slack.people.createChannel({ name: "secret", private: true, members: ["ana", "bob", bot] });
  const annotations = { "bellhop.dev/allowed-for": `SlackApp/${new URL(slack.url).host}` };
  const { namespace, integration: github } = team;
  await client.create(secrets, {
    metadata: { name: "slack-app", namespace, annotations },
    stringData: { token, signing: app.signingSecret, app: app.appToken },
  });
  const people = [{ id: bob.id, codeHost: { id: String(id), login: "bob" } }];
  const repositories = ofSecret.map((name) => ({ name, channels: [secret.id] }));
  const spec = slackAppFor({ url: slack.url, codeHost: github, people, socketMode, repositories });
  await client.create(SlackAppKind, { metadata: { name: "slack", namespace }, spec });
  await ready(team.world, SlackAppKind, { namespace, name: "slack" });
  const { status } = await client.get<SlackApp>(SlackAppKind, { namespace, name: "slack" });
  if (!socketMode) await slack.people.setRequestUrl({ url: status?.webhookURL ?? "" });
  const botMessages = ({ channel: at, ts }: MessageRef): SeenMessage[] =>
    slack.messages(at, { thread: ts }).filter(({ author }) => author === bot);
  const questionTo = (request: MessageRef, person: Person): SeenMessage | undefined =>
    slack.messages(request.channel, { thread: request.ts, as: person.name }).findLast(({ ephemeral }) => ephemeral);
  const personalQuestion: SlackTeam["personalQuestion"] = (request, person) =>
    eventually(() => questionTo(request, person), { describe: `the question to ${person.name}`, timeoutMs: 90_000 });
  return {
    team,
    channel,
    questionTo,
    personalQuestion,
    async chooses(request, person, repository) {
      const menu = await personalQuestion(request, person);
      const [option] = await person.types(menu, "bellhop/use", repository);
      if (option?.value !== repository) throw new Error(`the menu does not offer ${repository}`);
      await person.picks(menu, "bellhop/use", option);
    },
    secret: "secret",
    ana: slack.person("ana"),
    bob: slack.person("bob"),
    botMessages,
    async untilReport(message, describe, wanted) {
      try {
        return await eventually(
          () => {
            const [report] = botMessages(message);
            return report && wanted(report) ? report : undefined;
          },
          { describe, timeoutMs: 150_000 },
        );
      } catch (error) {
        const tasks = team.world.tasks
          .list(namespace)
          .map(({ metadata, status: state }) => `${metadata.name} ${JSON.stringify(state)}`);
        const seen = JSON.stringify(botMessages(message));
        throw new Error([String(error), seen, ...tasks, team.world.logs(namespace)].join("\n"), { cause: error });
      }
    },
  };
}
