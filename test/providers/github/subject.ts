import type { Delivery } from "../../../src/integrations/ingress.ts";
import { github } from "../../../src/integrations/github/index.ts";
import type { RunningSubject, Subject } from "../conformance.ts";
import { aSource, aTarget, startSignedIn, type SignedIn } from "./signed-in.ts";
import { deliveryOf } from "../deliveries.ts";
import { failing } from "./index.ts";
import { gitHubJudge } from "./judge.ts";
import { call, webhookSecret } from "./testing.ts";

/** GitHub, signed in as an App, for the conformance suite. */
export async function startSubject(): Promise<RunningSubject> {
  const world = await startSignedIn();
  const integration = world.integration();
  const { repository } = world;
  const token = await world.github.people.createUserToken({ login: "ana" });
  const { body: ana } = await call(world.github, "GET /users/ana", token);
  const subject: Subject = {
    provider: github,
    integration,
    connection: await world.connect(integration),
    capabilities: ["thread", "codeHost", "hooks", "missed"],
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
    judge: gitHubJudge(world),
    sendRequest: async (words) => {
      const number = await openIssue(world);
      return {
        delivery: await commented(world, { number, body: `@bellhop ${words}` }),
        key: Buffer.from(webhookSecret),
      };
    },
    sendOthers: async () => {
      const number = await openIssue(world);
      const bot = await world.github.people.createInstallationToken({ installation: world.installation });
      const own = await commented(world, { number, body: "@bellhop say hello", token: bot });
      return { own, unmentioned: await commented(world, { number, body: "say hello" }) };
    },
    connectAgain: () => world.connectWithoutCache(),
    connectWrongly: async () => {
      const secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
      const credentials = { token: { secretRef: { name: "token", key: "t" } } };
      return { connection: await world.connect(world.integration({ credentials }), secret), secret };
    },
    failOnce: () => void world.github.fail({}, failing.badGateway(), { times: 1 }),
  };
  return { subject, close: () => world.close() };
}

async function openIssue({ github }: SignedIn): Promise<number> {
  const { number } = await github.people.openIssue({ as: "ana", repo: "acme/shop", title: "A subject" });
  return number;
}

/** Comments on an issue, as ana or with a token, and returns the delivery. Deliveries can overtake each other, so it waits for the earlier ones. */
async function commented(
  { github, receiver }: SignedIn,
  { number, body, token }: { number: number; body: string; token?: string },
): Promise<Delivery> {
  await github.settled();
  if (token === undefined) await github.people.comment({ as: "ana", repo: "acme/shop", number, body });
  else await call(github, `POST /repos/acme/shop/issues/${number}/comments`, token, { body });
  await github.settled();
  return deliveryOf(receiver.received.findLast(({ headers }) => headers["x-github-event"] === "issue_comment"));
}
