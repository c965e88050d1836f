import { describe, expect, it } from "vitest";
import type { AgentTask } from "../../../api/kinds.ts";
import { aThreadTask, shaOf, shop, type TaskOverrides } from "../testing.ts";
import { ana, asking, at, bob, give, held, published } from "./testing.ts";

describe("a button of a report", () => {
  const press = (
    command: "stop" | "retry" | "approve" | "use",
    target: string,
    others: AgentTask[],
    argument?: string,
  ) =>
    give(command, others, {
      ...(argument === undefined ? {} : { argument }),
      over: { spec: { commandTarget: target } },
    });

  it("approves the request of its own report, not the newest one of the thread", async () => {
    const answer = await press("approve", "first", [held("first", 1), held("second", 2)]);
    expect(answer).toMatchObject({ reason: "RunApproved", requests: { first: [["approve", undefined]] } });
    expect(answer.requests).not.toHaveProperty("second");
  });

  it("answers the question of its own report", async () => {
    const answer = await press("use", "first", [asking("first", 1), asking("second", 2)], "acme/site");
    expect(answer.requests).toEqual({ first: [["use", "acme/site"]] });
  });

  it("stops and repeats only the work of its own report", async () => {
    const open = (name: string, minute: number): AgentTask =>
      aThreadTask({ name, createdAt: at(minute), conditions: ["Authorized"] });
    expect((await press("stop", "first", [open("first", 1), open("second", 2)])).requests).toEqual({
      first: [["stop", undefined]],
    });
    const { created } = await press("retry", "first", [published("first", 1), published("second", 2)]);
    expect(created.map(({ spec }) => spec.retryOf?.name)).toEqual(["first"]);
  });

  it("finds the work of a slash command, whose conversation is no thread", async () => {
    const slash = asking("slash", 1, { spec: { conversation: "T1/C1/slash/0123456789abcdef" } });
    expect((await press("use", "slash", [slash], "acme/site")).requests).toEqual({ slash: [["use", "acme/site"]] });
  });

  it("repeats the work of a slash command that ended before it was approved, because who clicks reads its report", async () => {
    const slash = published("slash", 1, { spec: { conversation: "T1/C1/slash/0123456789abcdef" } });
    const { created } = await press("retry", "slash", [slash]);
    expect(created.map(({ spec }) => spec.retryOf?.name)).toEqual(["slash"]);
  });

  it("does nothing to work of another integration, and to work that does not exist", async () => {
    const others = [asking("theirs", 1, { spec: { integrationRef: { kind: "SlackApp", name: "strict" } } })];
    for (const name of ["theirs", "missing"])
      expect(await press("use", name, others, "acme/site")).toMatchObject({ reason: "NothingAsked", requests: {} });
  });
});

describe("a command in the thread of the report of a slash command", () => {
  const slash = (name: string, over: TaskOverrides = {}): TaskOverrides => ({
    ...over,
    spec: { conversation: `T1/C1/slash/${name}` },
    status: { repository: shop, conversation: `T1/C1/slash/${name}`, report: { conversation: "C1/100.1" } },
  });

  it("finds its work", async () => {
    const open = aThreadTask({ name: "open", createdAt: at(1), conditions: ["Authorized"], ...slash("open") });
    expect((await give("stop", [open])).requests).toEqual({ open: [["stop", undefined]] });
    const done = published("done", 1, slash("done"));
    expect((await give("retry", [done])).created.map(({ spec }) => spec.retryOf?.name)).toEqual(["done"]);
  });

  it("approves it, because the thread says what would become public", async () => {
    const { reason, requests } = await give("approve", [held("held", 1, slash("held"))]);
    expect(reason).toBe("RunApproved");
    expect(requests).toEqual({ held: [["approve", undefined]] });
  });
});

describe("a command in the thread of two integrations of one workspace", () => {
  const theirs = { spec: { integrationRef: { kind: "SlackApp", name: "strict" } } } as const;

  it("reaches only the work of its own integration, whose rules allowed the person", async () => {
    expect((await give("approve", [held("theirs", 1, theirs)])).reason).toBe("NothingToApprove");
    expect((await give("use", [asking("theirs", 1, theirs)], { argument: "acme/site" })).reason).toBe("NothingAsked");
    expect((await give("retry", [published("theirs", 1, theirs)])).created).toEqual([]);
  });

  it("repeats work with the code host that the integration has now", async () => {
    const before = published("before", 1, { spec: { codeHostRef: { kind: "GitHubIntegration", name: "removed" } } });
    const { created } = await give("retry", [before]);
    expect(created.map(({ spec }) => spec.codeHostRef?.name)).toEqual(["shop"]);
  });
});

describe("an approval", () => {
  it("is refused from the person whose words somebody else repeated", async () => {
    const original = published("original", 1);
    const repeated = held("repeated", 2, { actor: bob, spec: { retryOf: { name: "original" } } });
    const eve = { id: "U7", login: "eve" };
    expect((await give("approve", [original, repeated], { by: ana })).reason).toBe("RequesterMayNotApprove");
    expect((await give("approve", [original, repeated], { by: eve })).reason).toBe("NotAuthorized");
  });

  it("says so if the work no longer waits, although the cache still shows it", async () => {
    const now = held("asks", 1, { conditions: ["Authorized", "Approved"] });
    const answer = await give("approve", [now], { cached: [held("asks", 1)] });
    expect(answer).toMatchObject({ reason: "NothingToApprove", requests: {} });
    expect(answer.message).toContain("no longer waits");
  });
});

it("an answer that comes too late says so", async () => {
  const answered = published("asks", 1, { status: { result: { commit: shaOf("c") } } });
  const answer = await give("use", [answered], { argument: "acme/site", cached: [asking("asks", 1)] });
  expect(answer).toMatchObject({ reason: "NothingAsked", requests: {} });
});

describe("a command at the change of a thread whose newest request nobody approved to become public", () => {
  const change = {
    source: {
      provider: "github",
      instance: "github.com",
      subject: { type: "Change", key: "acme/shop#57", number: 57 },
    },
    spec: { integrationRef: { kind: "GitHubIntegration", name: "shop" }, codeHostRef: undefined, repository: shop },
    status: { conversation: "C1/100.1", conversationInstance: "T1 SlackApp/chat" },
  } as const;

  it("neither shows nor stops that request", async () => {
    for (const command of ["status", "stop"] as const) {
      const answer = await give(command, [held("secret", 1)], { over: change });
      expect(answer.requests).toEqual({});
      expect(answer.message).not.toContain("secret");
    }
  });
});
