import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { needsFile } from "../../needs.ts";
import { failing, startGitHub } from "./index.ts";
import type { GitHubStandIn } from "./index.ts";
import { specFile } from "./spec-check.ts";
import { call, populate, startReceiver } from "./testing.ts";
import type { Receiver } from "./testing.ts";

let github: GitHubStandIn;
let receiver: Receiver;
let token: string;

const comments = "/repos/acme/shop/issues/1/comments";

beforeAll(async () => {
  receiver = await startReceiver();
  github = await startGitHub({ deliveryTimeoutMs: 2_000 });
  ({ token } = await populate(github, receiver.url));
  await github.people.openIssue({ as: "ana", repo: "acme/shop", title: "One" });
});

beforeEach(() => {
  github.clearFailures();
  receiver.answer(202);
  receiver.received.length = 0;
});

afterAll(async () => {
  await github?.close();
  await receiver?.close();
});

async function count(): Promise<number> {
  return (await call<unknown[]>(github, `GET ${comments}`, token)).body.length;
}

describe("injected failures", () => {
  it("refuse the given number of requests with GitHub's message, and no further ones", async () => {
    const injection = github.fail({ method: "POST", path: comments }, failing.secondaryRateLimit(7), { times: 1 });
    const refused = await call(github, `POST ${comments}`, token, { body: "x" });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([403, "7"]);
    expect(refused.body["message"]).toMatch(/secondary rate limit/);
    expect((await call(github, `POST ${comments}`, token, { body: "x" })).status).toBe(201);
    expect(injection.hits).toBe(1);
  });

  it("include the reset time of a primary rate limit", async () => {
    github.fail({ path: "/repos/*" }, failing.primaryRateLimit(new Date("2030-01-01T00:00:00Z"), 429), { times: 1 });
    const refused = await call(github, "GET /repos/acme/shop", token);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("x-ratelimit-remaining")).toBe("0");
    expect(refused.headers.get("x-ratelimit-reset")).toBe(String(Date.parse("2030-01-01T00:00:00Z") / 1000));
  });

  it("drop an answer although the comment was created", async () => {
    const before = await count();
    github.fail({ method: "POST", path: comments }, failing.dropAnswer(), { times: 1 });
    await expect(call(github, `POST ${comments}`, token, { body: "made" })).rejects.toThrow("fetch failed");
    expect(await count()).toBe(before + 1);
  });

  it("reset a connection before the request takes effect", async () => {
    const before = await count();
    github.fail({ method: "POST", path: comments }, failing.reset(), { times: 1 });
    await expect(call(github, `POST ${comments}`, token, { body: "lost" })).rejects.toThrow("fetch failed");
    expect(await count()).toBe(before);
  });

  it("stay active until a condition is true", async () => {
    let healed = false;
    github.fail({ path: /^\/repos\// }, failing.serverError(), { until: () => healed });
    expect((await call(github, "GET /repos/acme/shop", token)).status).toBe(500);
    expect((await call(github, "GET /repos/acme/shop", token)).status).toBe(500);
    healed = true;
    expect((await call(github, "GET /repos/acme/shop", token)).status).toBe(200);
  });
});

describe("failed deliveries", () => {
  it("are recorded with their result, not repeated, and redelivered with the same guid on request", async () => {
    receiver.answer(503);
    await github.people.comment({ as: "ana", repo: "acme/shop", number: 1, body: "missed" });
    expect(receiver.received).toHaveLength(1);
    const jwt = github.appJwt("bellhop");
    const failed = await call<{ guid: string }[]>(github, "GET /app/hook/deliveries?status=failure", jwt);
    const [missed] = failed.body;
    const id = github.deliveries().find(({ guid }) => guid === missed?.guid)?.id ?? "";
    expect(missed).toMatchObject({ event: "issue_comment", action: "created", status_code: 503, redelivery: false });
    receiver.answer(202);
    expect((await call(github, `POST /app/hook/deliveries/${id}/attempts`, jwt)).status).toBe(202);
    await github.settled();
    expect(receiver.received.map(({ headers }) => headers["x-github-delivery"])).toEqual([missed!.guid, missed!.guid]);
    expect(receiver.received[1]!.body).toBe(receiver.received[0]!.body);
    const { body: retried } = await call<object[]>(github, "GET /app/hook/deliveries", jwt);
    expect(retried[0]).toMatchObject({ guid: missed!.guid, redelivery: true, status: "OK", status_code: 202 });
    github.assertClean();
  });

  it("end when the receiver times out", async () => {
    receiver.answer("hang");
    await github.people.comment({ as: "ana", repo: "acme/shop", number: 1, body: "slow" });
    expect(github.deliveries("issue_comment").at(-1)).toMatchObject({ status: "timed out", statusCode: 504 });
  });

  it("are listed newest first, with pages by cursor", async () => {
    for (const body of ["a", "b", "c"]) await github.people.comment({ as: "ana", repo: "acme/shop", number: 1, body });
    const jwt = github.appJwt("bellhop");
    const first = await call<{ guid: string }[]>(github, "GET /app/hook/deliveries?per_page=2", jwt);
    const next = /<[^>]*\/api\/v3([^>]*)>; rel="next"/.exec(first.headers.get("link")!)![1]!;
    const second = await call<{ guid: string }[]>(github, `GET ${next as `/${string}`}`, jwt);
    const guids = [first, second].flatMap(({ body }) => body.map(({ guid }) => guid));
    expect(guids).toEqual(
      github
        .deliveries()
        .slice(-4)
        .map(({ guid }) => guid)
        .toReversed(),
    );
  });
});

describe("the check against GitHub's description", () => {
  let own: GitHubStandIn;
  beforeEach(async () => {
    own = await startGitHub();
  });
  afterEach(() => own.close());

  it("reports an unknown route", async () => {
    const { token } = await populate(own);
    await call(own, "GET /repos/acme/shop/teapots", token);
    expect(() => own.assertClean()).toThrow("unknown call: GET /repos/acme/shop/teapots");
  });

  it("reports a request that the description does not allow", async (context) => {
    needsFile(context, specFile);
    const { token } = await populate(own);
    await own.people.openIssue({ as: "ana", repo: "acme/shop", title: "One" });
    await call(own, `GET ${comments}?colour=red`, token);
    expect(own.violations.map(({ message }) => message)).toContain("has no query parameter colour");
  });
});
