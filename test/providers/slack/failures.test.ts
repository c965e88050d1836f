import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebAPIHTTPError, WebAPIRateLimitedError, WebAPIRequestError } from "@slack/web-api";
import type { WebClient } from "@slack/web-api";
import { failing, startSlack } from "./index.ts";
import type { SlackStandIn } from "./index.ts";
import { client, populate } from "./testing.ts";

let slack: SlackStandIn;
let web: WebClient;
let shop: string;

beforeAll(async () => {
  slack = await startSlack({ plainHttp: true });
  await populate(slack);
  web = client(slack);
  shop = (await slack.person("ana").posts("shop", "hello")).channel;
});
beforeEach(() => slack.clearFailures());
afterAll(() => slack.close());

const post = (text: string): Promise<unknown> => web.chat.postMessage({ channel: shop, text });
const rejection = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);
const texts = (): string[] => slack.messages("shop").map(({ text }) => text);

describe("injected failures", () => {
  it("limit the rate of one method, for a number of calls", async () => {
    const injection = slack.fail({ method: "chat.postMessage" }, failing.rateLimited(7), { times: 1 });
    const error = await rejection(post("limited"));
    expect(error).toBeInstanceOf(WebAPIRateLimitedError);
    expect(error).toMatchObject({ retryAfter: 7 });
    await post("passes");
    expect(injection.hits).toBe(1);
    expect(texts()).toContain("passes");
    expect(texts()).not.toContain("limited");
    expect(slack.calls("chat.postMessage").map(({ status, error }) => [status, error])).toEqual([
      [429, "ratelimited"],
      [200, null],
    ]);
  });

  it("limit the rate of one channel only", async () => {
    const { id } = await slack.people.createChannel({ name: "quiet", members: ["ana", "bellhop"] });
    slack.fail({ method: "chat.*", channel: id }, failing.rateLimited(1));
    await expect(web.chat.postMessage({ channel: id, text: "x" })).rejects.toThrow("rate");
    await post("still works");
  });

  it.each([
    { name: "a server error", failure: failing.serverError(503), statusCode: 503 },
    { name: "HTML of a load balancer", failure: failing.badGateway(), statusCode: 502 },
  ])("answer $name", async ({ failure, statusCode }) => {
    slack.fail({ method: "auth.test" }, failure);
    const error = await rejection(web.auth.test());
    expect(error).toBeInstanceOf(WebAPIHTTPError);
    expect(error).toMatchObject({ statusCode });
  });

  it("answer a chosen error, or a body that is cut off", async () => {
    slack.fail({ method: "auth.test" }, failing.error("fatal_error"), { times: 1 });
    await expect(web.auth.test()).rejects.toMatchObject({ data: { error: "fatal_error" } });
    slack.fail({ method: "auth.test" }, failing.malformed());
    await expect(web.auth.test()).rejects.toMatchObject({ data: { error: expect.stringContaining('{"ok":true') } });
  });

  it("reset the connection before the call takes effect", async () => {
    slack.fail({ method: "chat.postMessage" }, failing.reset(), { times: 1 });
    expect(await rejection(post("lost"))).toBeInstanceOf(WebAPIRequestError);
    expect(texts()).not.toContain("lost");
  });

  it("drop the answer although the message was posted", async () => {
    slack.fail({ method: "chat.postMessage" }, failing.dropAnswer(), { times: 1 });
    expect(await rejection(post("made"))).toBeInstanceOf(WebAPIRequestError);
    expect(texts()).toContain("made");
  });

  it("delay the answer", async () => {
    slack.fail({ method: "auth.test" }, failing.slow(5_000));
    const hasty = client(slack, undefined, { timeout: 50 });
    expect(await rejection(hasty.auth.test())).toBeInstanceOf(WebAPIRequestError);
  });
});

describe("a token", () => {
  it("is refused if it is missing, unknown or without the scope, which the answer names", async () => {
    const errorOf = async (token: string): Promise<unknown> =>
      ((await rejection(client(slack, token).auth.test())) as { data: { error: string } }).data.error;
    expect(await errorOf("")).toBe("not_authed");
    expect(await errorOf("xoxb-1-2-unknown")).toBe("invalid_auth");
    const { scopes } = slack.installation();
    await slack.people.setScopes({ scopes: ["channels:read"] });
    const refused = { error: "missing_scope", needed: "chat:write", provided: "channels:read" };
    await expect(post("x")).rejects.toMatchObject({ data: refused });
    const unread = { error: "missing_scope", needed: "channels:history" };
    await expect(web.conversations.history({ channel: shop })).rejects.toMatchObject({ data: unread });
    await slack.people.setScopes({ scopes: [...scopes] });
    await post("y");
  });
});

describe("the wire", () => {
  const send = async (method: string, init: RequestInit): Promise<unknown> => {
    const { token } = slack.installation();
    const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) };
    return (await fetch(`${slack.apiUrl}${method}`, { ...init, method: "POST", headers })).json();
  };
  const json = { "content-type": "application/json; charset=utf-8" };

  it("accepts JSON for methods that write, and not for methods that read", async () => {
    const body = JSON.stringify({ channel: shop, text: "from JSON" });
    expect(await send("chat.postMessage", { headers: json, body })).toMatchObject({ ok: true });
    expect(await send("conversations.info", { headers: json, body })).toMatchObject({ error: "invalid_arguments" });
    expect(await send("chat.postMessage", { headers: json, body: "{" })).toEqual({ ok: false, error: "invalid_json" });
  });

  it("answers 200 and names the method that does not exist", async () => {
    const own = await startSlack({ plainHttp: true });
    const response = await fetch(`${own.apiUrl}chat.shout`, { method: "POST" });
    expect([response.status, await response.json()]).toMatchObject([200, { ok: false, error: "unknown_method" }]);
    expect(() => own.assertClean()).toThrow("unknown call: chat.shout");
    await own.close();
  });
});
