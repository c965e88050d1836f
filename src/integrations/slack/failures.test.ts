import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { aTarget, startSlackSignedIn, type SlackSignedIn } from "../../../test/providers/slack/signed-in.ts";
import { failing, type MessageRef } from "../../../test/providers/slack/index.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import type { Logger } from "../../shared/log.ts";
import type { Thread } from "../connection.ts";
import { ProviderError } from "../errors.ts";
import type { Report } from "../report.ts";
import { limits } from "./limits.ts";

let world: SlackSignedIn;
let message: MessageRef;
const patiently = new AbortController().signal;
const report: Report = {
  blocks: [{ line: ["hello"] }],
  task: "shop-abc",
  over: false,
  actions: [],
  requester: { id: "U1", login: "ana" },
};

beforeAll(async () => {
  world = await startSlackSignedIn();
  message = await world.slack.person("ana").posts("shop", "fix it");
}, 60_000);
afterAll(() => world.close());
afterEach(() => world.slack.clearFailures());

async function failureOf(call: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ProviderError) return error;
  throw new Error(`expected a ProviderError, got ${String(error)}`);
}
const post = (thread: Thread, signal = patiently): Promise<unknown> =>
  thread.post(aTarget(message), report, "task:1", signal);

describe("refusals of Slack", () => {
  it.each([
    ["invalid_auth", "Unauthorized", /put the token .* into the Secret/],
    ["token_revoked", "Unauthorized", /wrong, expired or revoked/],
    ["account_inactive", "Suspended", /install the app again/],
    ["not_in_channel", "Forbidden", /invite it/],
    ["is_archived", "Forbidden", /unarchive it/],
    ["restricted_action", "Forbidden", /settings do not allow this/],
    ["channel_not_found", "NotFound", /invite the bot/],
    ["message_not_found", "NotFound", /deleted the message/],
    ["user_not_found", "NotFound", /does not exist any more/],
    ["msg_too_long", "Invalid", /too long/],
    ["a_new_code", "Invalid", /bug of Bellhop/],
    ["internal_error", "Unavailable", /retries automatically/],
    ["team_added_to_org", "Unavailable", /retries automatically/],
    ["ratelimited", "RateLimited", /retries in 30 s/],
  ] as const)("%s is %s", async (code, failure, advice) => {
    const { thread } = await world.connect();
    world.slack.fail({ method: "chat.postMessage" }, failing.error(code));
    const error = await failureOf(post(thread));
    expect(error.failure).toBe(failure);
    const { host } = new URL(world.slack.url);
    expect(error.message).toMatch(`cannot post the report to ${message.channel}/${message.ts} at ${host}: `);
    expect(error.message).toMatch(advice);
  });

  it("names the scope that is missing", async () => {
    const { thread } = await world.connect();
    world.slack.fail({ method: "chat.postMessage" }, failing.error("missing_scope", { needed: "chat:write" }));
    const error = await failureOf(post(thread));
    expect(error).toMatchObject({ failure: "Forbidden" });
    expect(error.message).toContain("Give the app the scope that this needs (chat:write), and install it again.");
  });

  it("says that a channel was archived while the task ran", async () => {
    const { people } = world.slack;
    await people.createChannel({ name: "short", members: ["ana", "bellhop"] });
    const { thread } = await world.connect();
    const asked = await world.slack.person("ana").posts("short", "fix it");
    const { id } = await thread.post(aTarget(asked), report, "task:2", patiently);
    await people.archive({ channel: "short" });
    const error = await failureOf(thread.update(aTarget(asked), { id, marker: "task:2" }, report, patiently));
    expect(error).toMatchObject({ failure: "Forbidden" });
    expect(error.message).toContain("archived");
  });
});

describe("a Slack that does not answer", () => {
  it.each([
    ["a server error", failing.serverError(503)],
    ["HTML of a load balancer", failing.badGateway()],
    ["a body that is cut off", failing.malformed()],
    ["a connection that is reset", failing.reset()],
  ])("is Unavailable: %s", async (_name, failure) => {
    const { thread } = await world.connect();
    world.slack.fail({ method: "chat.postMessage" }, failure);
    const error = await failureOf(post(thread));
    expect(error).toMatchObject({ failure: "Unavailable", retryable: true });
    expect(error.message).not.toMatch(/xoxb|<html|"ok"/i);
  });

  it("ends a call when the caller aborts", async () => {
    const { thread } = await world.connect();
    world.slack.fail({ method: "chat.postMessage" }, failing.slow(30_000));
    const abort = new AbortController();
    const call = post(thread, abort.signal);
    abort.abort(new Error("stopping"));
    await expect(call).rejects.toThrow("stopping");
  });

  it("calls once: a repeated message would be posted twice", async () => {
    const { thread } = await world.connect();
    const injection = world.slack.fail({ method: "chat.postMessage" }, failing.serverError(500));
    await failureOf(post(thread));
    expect(injection.hits).toBe(1);
  });
});

describe("rate limits", () => {
  it("report the time that Slack asks for, and send nothing to this channel until then", async () => {
    const clock = new FakeClock(new Date());
    const { thread } = await world.connect({ clock });
    const injection = world.slack.fail({ method: "chat.postMessage" }, failing.rateLimited(30));
    expect(await failureOf(post(thread))).toMatchObject({ failure: "RateLimited", retryAfterMs: 30_000 });
    await clock.advance(10_000);
    const again = await failureOf(post(thread));
    expect(again).toMatchObject({ failure: "RateLimited", retryAfterMs: 20_000 });
    expect(again.message).toContain("Bellhop retries in 20 s");
    expect(injection.hits).toBe(1);
    world.slack.clearFailures();
    await world.slack.people.createChannel({ name: "quiet", members: ["ana", "bellhop"] });
    const other = await world.slack.person("ana").posts("quiet", "fix it");
    await thread.post(aTarget(other), report, "task:3", patiently);
    await clock.advance(20_000);
    await post(thread);
  });

  it("are avoided by asking for a turn of the method, in the channel, before the write", async () => {
    const clock = new FakeClock(new Date());
    const { thread } = await world.connect({ clock, throttle: true });
    const write = { do: "post", report } as const;
    expect(thread.turn(aTarget(message), write)).toBe(0);
    const waiting = aTarget({ ...message, ts: "1767355300.000100" });
    expect(thread.turn(waiting, write)).toBeGreaterThan(0);
    expect(thread.turn(waiting, { do: "acknowledge" })).toBe(0);
    await clock.advance(limits["chat.postMessage"].everyMs);
    expect(thread.turn(waiting, write)).toBe(0);
  });

  it("are avoided by sending one message a second and channel", async () => {
    const clock = new FakeClock(new Date());
    const { thread } = await world.connect({ clock, throttle: true });
    await post(thread);
    const abort = new AbortController();
    const second = post(thread, abort.signal);
    const sent = world.slack.calls("chat.postMessage").length;
    await clock.advance(limits["chat.postMessage"].everyMs - 1);
    expect(world.slack.calls("chat.postMessage")).toHaveLength(sent);
    await clock.advance(1);
    await second;
    expect(world.slack.calls("chat.postMessage")).toHaveLength(sent + 1);
  });
});

describe("secrets and texts", () => {
  it("are in no log line and in no message", async () => {
    const lines: string[] = [];
    const write = (fields: object, text: string): void => void lines.push(JSON.stringify({ fields, text }));
    const log: Logger = { debug: write, info: write, warn: write, error: write, child: () => log };
    const { thread } = await world.connect({ log });
    const { token } = world.slack.installation();
    world.slack.fail(
      { method: "chat.postMessage" },
      failing.error("invalid_blocks", { response_metadata: { messages: [`[ERROR] ${token} in hello`] } }),
      { times: 1 },
    );
    const error = await failureOf(post(thread));
    expect(error.message).toContain("[redacted]");
    expect(error.message).not.toContain(token);
    world.slack.fail({ method: "chat.postMessage" }, failing.reset(), { times: 1 });
    await failureOf(post(thread));
    expect(lines.join("\n")).not.toMatch(/hello|xoxb/);
  });
});
