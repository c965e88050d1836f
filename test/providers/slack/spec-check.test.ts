import { beforeEach, describe, expect, it } from "vitest";
import { needsFile } from "../../needs.ts";
import { methods } from "./api/table.ts";
import { newerMethods, newerParams } from "./newer-than-spec.ts";
import { loadSpec, specFile } from "./spec-check.ts";

/** Needs Slack's description beside the checkout (shared/fixtures/slack/spec). A user's clone does not have it. */
describe("the check against Slack's description", () => {
  beforeEach((context) => needsFile(context, specFile));
  const spec = loadSpec()!;

  it("checks all methods except the listed ones", () => {
    const undescribed = methods.map(({ name }) => name).filter((name) => !spec.methods.has(name));
    expect(undescribed.toSorted()).toEqual(Object.keys(newerMethods).toSorted());
  });

  it("lists newer arguments only for methods of the stand-in", () => {
    const served = new Set(["*", ...methods.map(({ name }) => name)]);
    expect(Object.keys(newerParams).filter((name) => !served.has(name))).toEqual([]);
  });

  const posted = {
    ok: true,
    channel: "C012345678",
    ts: "1700000000.000001",
    message: { type: "message", text: "x", ts: "1700000000.000001" },
  };
  const post = { method: "chat.postMessage", json: false, answer: posted };

  it.each([
    { name: "nothing in a right call", params: { channel: "C1", text: "x", metadata: "{}" }, faults: [] },
    { name: "an unknown argument", params: { channel: "C1", colour: "red" }, faults: ["has no argument colour"] },
    { name: "a missing argument", params: { text: "x" }, faults: ["requires the argument channel"] },
    { name: "a wrong type", params: { channel: "C1", mrkdwn: "perhaps" }, faults: ["mrkdwn must be boolean"] },
  ])("finds $name", ({ params, faults }) => {
    expect(spec.check({ ...post, params }).map(({ message }) => message)).toEqual(faults);
  });

  it("finds a JSON body where Slack accepts only forms", () => {
    const answer = { ok: false, error: "channel_not_found" };
    const read = { method: "conversations.members", params: { channel: "C1" }, json: true };
    expect(spec.check({ ...read, answer })).toEqual([]);
    const listed = { ok: true, members: ["U01"], response_metadata: { next_cursor: "" } };
    expect(spec.check({ ...read, answer: listed })).toMatchObject([
      { side: "request", message: "accepts no JSON body" },
    ]);
  });

  it("finds a missing or malformed field in an answer, and an error that the method does not have", () => {
    const params = { channel: "C1", text: "x" };
    const { channel: _, ...lacking } = posted;
    const messages = (answer: Record<string, unknown>): string[] =>
      spec.check({ ...post, params, answer }).map(({ message }) => message);
    expect(messages(lacking)).toEqual(["/ must have required property 'channel'"]);
    expect(messages({ ...posted, ts: "now" })).toEqual([expect.stringContaining("/ts must match pattern")]);
    expect(messages({ ok: false, error: "too_lazy" })).toEqual(["may not answer the error too_lazy"]);
  });
});
