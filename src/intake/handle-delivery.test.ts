import { describe, expect, it } from "vitest";
import { AgentTaskKind } from "../api/kinds.ts";
import { providerNamed } from "../integrations/registry.ts";
import { type ApiError, errorFromAnswer, unreachable } from "../kube/errors.ts";
import { createFakeClient } from "../kube/testing.ts";
import { FakeClock } from "../shared/fake-clock.ts";
import { compileRule } from "./cel.ts";
import type { StoredIntegration } from "./choose-integration.ts";
import { handleDelivery, type IntakeDeps } from "./handle-delivery.ts";
import { aComment, aDelivery, anEntry, anIntegration, previousHookKey, signedHeaders } from "./testing.ts";

interface World {
  integrations?: StoredIntegration[];
  fail?: unknown;
}

function world({ integrations = [anIntegration()], fail }: World = {}) {
  const client = createFakeClient();
  client.before = () => {
    if (fail !== undefined) throw fail;
  };
  const deps: IntakeDeps = {
    provider: providerNamed,
    integration: ({ namespace, name, uid }) =>
      integrations.find(
        ({ metadata }) => metadata.namespace === namespace && metadata.name === name && metadata.uid === uid,
      ),
    facts: () => ({ branchPrefixes: [], liveThreads: [], offered: [] }),
    compile: compileRule,
    clock: new FakeClock("2026-01-02T12:00:00Z"),
    client,
  };
  return { deps, created: () => client.objects(AgentTaskKind) };
}

const signal = new AbortController().signal;
const notSignedIn = { bot: undefined };
const member = (name: string) => ({ kind: "GitHubIntegration", namespace: "team", name, uid: `uid-of-${name}` });
const status = (code: number, reason: string, message = "said", details: object = {}): ApiError =>
  errorFromAnswer("create agenttasks team/x", code, { reason, message, details });

describe("handleDelivery", () => {
  it("stores a task and then answers 202 with its name", async () => {
    const { deps, created } = world();
    const answer = await handleDelivery({ entry: anEntry(), delivery: aDelivery(aComment()), deps, signal });
    expect(answer).toMatchObject({ status: 202, body: { status: "accepted", reason: "TaskCreated" } });
    expect(created().map(({ metadata }) => metadata.name)).toEqual([answer.body.task?.name]);
  });

  it("accepts the previous key", async () => {
    const body = JSON.stringify(aComment());
    const delivery = aDelivery(body, signedHeaders(body, { key: previousHookKey }));
    expect(await handleDelivery({ entry: anEntry(), delivery, deps: world().deps, signal })).toMatchObject({
      status: 202,
    });
  });

  it("gives a forger the same answer for every kind of wrong signature", async () => {
    const body = JSON.stringify(aComment());
    const good = signedHeaders(body);
    const { "x-hub-signature-256": _, ...unsigned } = good;
    const forgeries = [
      unsigned,
      signedHeaders(body, { key: Buffer.from("x") }),
      { ...good, "x-hub-signature-256": "sha256=0" },
    ];
    const { deps, created } = world();
    const answers = [];
    for (const headers of forgeries) {
      answers.push(await handleDelivery({ entry: anEntry(), delivery: aDelivery(body, headers), deps, signal }));
    }
    expect(answers[0]).toMatchObject({ status: 401, body: { status: "refused" } });
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(created()).toEqual([]);
  });

  it.each([
    [
      "form-encoded",
      "payload=%7B%7D",
      "application/x-www-form-urlencoded",
      /Content-Type.*application\/json.*webhook's settings/,
    ],
    ["not JSON", "{", "application/json", /^body: /],
    [
      "without a sender",
      JSON.stringify({ ...aComment(), sender: undefined }),
      "application/json; charset=utf-8",
      /^sender: /,
    ],
  ])("answers 400 with the cause if the body is %s", async (_, body, type, message) => {
    const delivery = aDelivery(body, { ...signedHeaders(body), "content-type": type });
    const answer = await handleDelivery({ entry: anEntry(), delivery, deps: world().deps, signal });
    expect(answer).toMatchObject({ status: 400, body: { status: "refused", message: expect.stringMatching(message) } });
  });

  it.each([
    ["Ping", { zen: "x" }, "ping", {}],
    ["UnknownEvent", aComment(), "star", {}],
    ["NotMentioned", aComment({ body: "hello" }), "issue_comment", {}],
    ["NotCovered", aComment({ owner: "other" }), "issue_comment", {}],
    ["IntegrationUnknown", aComment(), "star", { integrations: [] }],
    ["Suspended", aComment(), "issue_comment", { integrations: [anIntegration({ spec: { suspend: true } })] }],
    [
      "Suspended",
      aComment(),
      "issue_comment",
      { integrations: [anIntegration({ spec: { suspend: true }, status: notSignedIn })] },
    ],
    [
      "NamespaceTerminating",
      aComment(),
      "issue_comment",
      { fail: status(403, "Forbidden", "x", { causes: [{ reason: "NamespaceTerminating" }] }) },
    ],
    [
      "NamespaceTerminating",
      aComment(),
      "issue_comment",
      { fail: status(404, "NotFound", 'namespaces "team" not found') },
    ],
  ] satisfies [string, object, string, World][])("answers 200 ignored, %s", async (reason, payload, event, given) => {
    const body = JSON.stringify(payload);
    const delivery = aDelivery(body, signedHeaders(body, { event }));
    const answer = await handleDelivery({ entry: anEntry(), delivery, deps: world(given).deps, signal });
    expect(answer).toMatchObject({
      status: 200,
      body: { status: "ignored", reason, message: expect.stringMatching(/\.$/) },
    });
  });

  it.each([
    [200, "TaskExists", "duplicate", status(409, "AlreadyExists")],
    [503, "QuotaExceeded", "refused", status(403, "Forbidden", "exceeded quota: tasks")],
    [503, "NotStored", "refused", status(403, "Forbidden")],
    [503, "NotStored", "refused", status(404, "NotFound", "the server could not find the requested resource")],
    [503, "NotStored", "refused", status(409, "Conflict")],
    [503, "NotStored", "refused", status(500, "InternalError")],
    [503, "NotStored", "refused", status(429, "TooManyRequests")],
    [503, "NotStored", "refused", unreachable("create", new Error("connect ECONNREFUSED 10.0.0.1:443"))],
    [503, "NotStored", "refused", new DOMException("timed out", "TimeoutError")],
    [500, "Invalid", "refused", status(422, "Invalid", "spec.prompt: too long")],
    [
      503,
      "NotStored",
      "refused",
      status(422, "Invalid", "no params found for policy binding with `Deny` parameterNotFoundAction"),
    ],
    [500, "TaskTooLarge", "refused", status(413, "RequestEntityTooLarge")],
  ])("answers %d %s to this failure of the API server", async (code, reason, want, fail) => {
    const { deps } = world({ fail });
    const answer = await handleDelivery({ entry: anEntry(), delivery: aDelivery(aComment()), deps, signal });
    expect(answer).toMatchObject({ status: code, body: { status: want, reason } });
    expect(answer.headers["retry-after"] !== undefined).toBe(code === 503);
    expect(JSON.stringify(answer.body)).not.toMatch(/ECONNREFUSED|spec\.prompt/);
    expect(answer.detail === undefined).toBe(code === 200);
  });

  it.each([
    { is: "is not in the local copy yet", reason: "IntegrationUnknown", integrations: [] },
    { is: "was recreated", reason: "IntegrationUnknown", integrations: [anIntegration({ uid: "recreated" })] },
    {
      is: "has moved to another host",
      reason: "IntegrationUnknown",
      integrations: [anIntegration({ spec: { url: "https://ghe.example.com" } })],
    },
    { is: "has not signed in", reason: "BotUnknown", integrations: [anIntegration({ status: notSignedIn })] },
  ])("accepts no mention and sends Retry-After if the integration $is", async ({ reason, integrations }) => {
    const { deps, created } = world({ integrations });
    const answer = await handleDelivery({ entry: anEntry(), delivery: aDelivery(aComment()), deps, signal });
    expect(answer).toMatchObject({ status: 503, body: { status: "refused", reason } });
    expect(answer.headers["retry-after"]).toBe("10");
    expect(created()).toEqual([]);
  });

  it("asks for a retry if only an integration that is not known yet may cover the repository", async () => {
    const entry = anEntry({ members: [member("shop"), member("web")] });
    const ask = (payload: object) =>
      handleDelivery({ entry, delivery: aDelivery(payload), deps: world().deps, signal });
    expect(await ask(aComment({ owner: "web-org" }))).toMatchObject({
      status: 503,
      body: { reason: "IntegrationUnknown" },
    });
    expect(await ask(aComment())).toMatchObject({ status: 202 });
  });

  it("asks for a retry if the operator has not found the App's installation yet, but only for covered repositories", async () => {
    const app = { app: { appId: 1, privateKeySecretRef: { name: "key", key: "pem" } } };
    const status = { ...anIntegration().status, installations: [{ id: "11", account: "acme" }] };
    const integrations = [anIntegration({ spec: { credentials: app }, status })];
    const ask = (over: object, installation: number) => {
      const delivery = aDelivery({ ...aComment(over), installation: { id: installation } });
      return handleDelivery({ entry: anEntry(), delivery, deps: world({ integrations }).deps, signal });
    };
    expect(await ask({}, 11)).toMatchObject({ status: 202 });
    expect(await ask({}, 12)).toMatchObject({ status: 503, body: { reason: "InstallationUnknown" } });
    expect(await ask({ owner: "other" }, 12)).toMatchObject({ status: 200, body: { reason: "NotCovered" } });
    integrations[0] = anIntegration({ spec: { credentials: app, suspend: true }, status });
    expect(await ask({}, 12)).toMatchObject({ status: 200, body: { status: "ignored" } });
  });

  it("passes on the Retry-After of the API server", async () => {
    const fail = errorFromAnswer("create", 429, { reason: "TooManyRequests", message: "x" }, "42");
    const answer = await handleDelivery({
      entry: anEntry(),
      delivery: aDelivery(aComment()),
      deps: world({ fail }).deps,
      signal,
    });
    expect(answer.headers["retry-after"]).toBe("42");
  });

  it("routes deliveries of a shared hook to the integration that covers the repository, and uses the bot of that integration", async () => {
    const web = {
      spec: { organization: "web-org" },
      status: { bot: { id: "98", login: "webbot", mention: "webbot" } },
    };
    const { deps, created } = world({ integrations: [anIntegration(), anIntegration({ name: "web", ...web })] });
    const entry = anEntry({ members: [member("shop"), member("web")] });
    const ask = (payload: object) => handleDelivery({ entry, delivery: aDelivery(payload), deps, signal });
    expect(await ask(aComment({ owner: "web-org", body: "@webbot go" }))).toMatchObject({ status: 202 });
    expect(await ask(aComment({ owner: "web-org", body: "@bellhop go" }))).toMatchObject({
      body: { reason: "NotMentioned" },
    });
    expect(await ask(aComment())).toMatchObject({ status: 202 });
    expect(created().map(({ spec }) => spec.integrationRef.name)).toEqual(["web", "shop"]);
  });

  it("creates no task if several integrations cover the repository, unless the others are being deleted", async () => {
    const entry = anEntry({ members: [member("shop"), member("too")] });
    const both = [anIntegration(), anIntegration({ name: "too" })];
    const ask = (integrations: StoredIntegration[]) =>
      handleDelivery({ entry, delivery: aDelivery(aComment()), deps: world({ integrations }).deps, signal });
    expect(await ask(both)).toMatchObject({
      status: 200,
      body: { reason: "AmbiguousIntegration", message: expect.not.stringMatching(/team|too/) as string },
      detail: "team/shop, team/too",
    });
    const deleted = anIntegration({ name: "too", deletionTimestamp: "2026-01-01T00:00:00Z" });
    expect(await ask([anIntegration(), deleted])).toMatchObject({ status: 202 });
    expect(await ask([deleted])).toMatchObject({ status: 200, body: { reason: "IntegrationDeleted" } });
  });
});
