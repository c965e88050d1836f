import { describe, expect, it } from "vitest";
import type { AgentTaskStatus } from "../../../api/agent-task-status.ts";
import type { Condition } from "../../../kube/types.ts";
import type { Report } from "../../../integrations/report.ts";
import { anIntegration, aTask, facts, noon, type TaskOverrides } from "../testing.ts";
import { decideReport, revisionOf, type ReportReading } from "./decide.ts";

type ReportStatus = NonNullable<AgentTaskStatus["report"]>;

const saying = (text: string): Report => ({
  blocks: [{ line: [text] }],
  task: "shop-abc",
  over: false,
  actions: [],
  requester: { id: "501", login: "ana" },
});

const over = { type: "Succeeded", status: "True", reason: "Published" } as const;
const ago = (ms: number): string => new Date(noon.getTime() - ms).toISOString();
const posted = (text: string, more: ReportStatus = {}): ReportStatus => ({
  target: "acme/shop#42",
  reacted: true,
  id: "7",
  intent: "task:uid-shop-abc",
  revision: revisionOf(saying(text)),
  toldAt: ago(1_000),
  ...more,
});

function decide(
  report: ReportStatus,
  given: TaskOverrides & { report?: ReportReading["report"]; reaction?: boolean; signedIn?: Condition } = {},
) {
  const task = aTask({ ...given, status: { ...given.status, report } });
  const integration = anIntegration({ reporting: { reaction: given.reaction ?? true, updateEvery: "10s" } });
  if (given.signedIn) integration.status = { ...integration.status, conditions: [given.signedIn] };
  return decideReport(facts({ task, integration }), { report: given.report ?? saying("the report") }, noon);
}

describe("the answer to a slash command", () => {
  const slash = { source: { signal: { type: "SlashCommand" } }, spec: { command: "status" } } as const;
  const refused = { type: "Authorized", status: "False", reason: "NotAuthorized" } as const;
  const of = (report: ReportStatus, given: TaskOverrides) => decide({ reacted: true, ...report }, given);

  it("is for the requester only, after its intent was written", () => {
    const answer = of({}, { ...slash, conditions: ["Authorized", over] });
    expect(answer.fields?.report).toMatchObject({ intent: "task:uid-shop-abc" });
    expect(answer.actions).toEqual([{ do: "answer", report: saying("the report"), again: false }]);
  });

  it("is given again after a crash, because it cannot be found, and not after it was recorded", () => {
    const given = { ...slash, conditions: ["Authorized", over] } satisfies TaskOverrides;
    expect(of({ intent: "task:uid-shop-abc" }, given).actions).toMatchObject([{ do: "answer", again: true }]);
    const recorded = of({ intent: "task:uid-shop-abc", revision: "another" }, given);
    expect(recorded.conditions).toMatchObject([{ type: "Reported", status: "True", reason: "Told" }]);
    expect(recorded.actions).toBeUndefined();
  });

  it("is given for every end of a command, and not before", () => {
    expect(of({}, { ...slash, conditions: ["Authorized"] })).toEqual({});
    const stopped = { type: "Succeeded", reason: "Stopped" } as const;
    expect(of({}, { ...slash, conditions: ["Authorized", stopped] }).actions).toMatchObject([{ do: "answer" }]);
    expect(of({}, { ...slash, conditions: [refused] }).actions).toMatchObject([{ do: "answer" }]);
  });

  it("shows a refusal of work to the requester only; nobody sees a report before it is authorised", () => {
    const { source } = slash;
    expect(of({}, { source, conditions: [refused] }).actions).toMatchObject([{ do: "answer" }]);
    expect(of({}, { source })).toEqual({});
    expect(of({}, { source, conditions: ["Authorized"] }).actions).toMatchObject([{ do: "create" }]);
    expect(of(posted("before"), { source, conditions: ["Authorized", over] }).actions).toMatchObject([
      { do: "update" },
    ]);
  });
});

describe("the outbox of a report", () => {
  it("first reacts to the event, unless the integration disables reactions", () => {
    expect(decide({})).toEqual({ actions: [{ do: "react" }], requeueAfterMs: 0 });
    expect(decide({}, { reaction: false }).actions).toMatchObject([{ do: "create" }]);
  });

  it("writes its intent before the message, and searches only if the intent existed already", () => {
    const first = decide({ reacted: true });
    expect(first.fields?.report).toMatchObject({ intent: "task:uid-shop-abc", target: "acme/shop#42" });
    expect(first.actions).toEqual([{ do: "create", report: saying("the report"), search: false }]);
    const doubt = decide({ reacted: true, intent: "task:uid-shop-abc" });
    expect(doubt.actions).toEqual([{ do: "create", report: saying("the report"), search: true }]);
  });

  it("posts the same text once", () => {
    expect(decide(posted("the report"))).toEqual({ requeueAfterMs: 60_000 });
  });

  it("throttles edits", () => {
    expect(decide(posted("before"))).toEqual({ requeueAfterMs: 9_000 });
    const later = decide(posted("before", { toldAt: ago(10_000) }));
    expect(later.actions).toEqual([{ do: "update", id: "7", report: saying("the report") }]);
  });

  it("posts the final text at once, and then marks the report as final", () => {
    expect(decide(posted("before"), { conditions: [over] }).actions).toMatchObject([{ do: "update" }]);
    expect(decide(posted("the report"), { conditions: [over] }).conditions).toMatchObject([
      { type: "Reported", status: "True", reason: "Told" },
    ]);
  });

  it("backs off after failures, and says meanwhile why the report is not posted", () => {
    const failing = posted("before", { failures: 3, toldAt: ago(1_000), lastError: "the channel is archived" });
    const waiting = decide(failing);
    expect(waiting.requeueAfterMs).toBeGreaterThan(1_000);
    const message = "Could not post the report: the channel is archived. Trying again.";
    expect(waiting.conditions).toEqual([{ type: "Reported", status: "Unknown", reason: "NotPosted", message }]);
    expect(decide({ ...failing, toldAt: ago(600_000) }).actions).toMatchObject([{ do: "update" }]);
    expect(decide({ ...failing, failures: 99 }).conditions).toMatchObject([{ reason: "NotPosted" }]);
    expect(decide({ ...failing, failures: 1 })).toEqual({ requeueAfterMs: expect.any(Number) });
  });

  it("tries every hour after it gave up, long after the end, and reports what it posted then", () => {
    const failing = posted("before", { failures: 99, toldAt: ago(1_000), lastError: "the channel is archived" });
    const message =
      "Could not post the report: the channel is archived. Bellhop tries again each hour, until the task is deleted.";
    const gaveUp = { type: "Reported", status: "False", reason: "GaveUp", message } as const;
    const given = { conditions: [over, gaveUp], status: { completionTime: ago(3 * 3_600_000) } };
    expect(decide(failing, given)).toEqual({ conditions: [gaveUp], requeueAfterMs: 3_599_000 });
    expect(decide({ ...failing, toldAt: ago(3_600_000) }, given).actions).toMatchObject([{ do: "update" }]);
    expect(decide(posted("the report", { failures: 0 }), given)).toMatchObject({
      drop: ["Reported"],
      conditions: [{ type: "Reported", status: "True", reason: "Told" }],
    });
  });

  it("tries as soon as tasks use the credentials that work again, and once only", () => {
    const failing = posted("before", { failures: 9, toldAt: ago(20_000), lastError: "the token is revoked" });
    const since = (status: "True" | "False", lastTransitionTime: string) =>
      decide(failing, { signedIn: { type: "CredentialsValid", status, reason: "x", message: "", lastTransitionTime } });
    expect(since("True", ago(15_000)).actions).toMatchObject([{ do: "update" }]);
    // A task may still use the Secret as it was ten seconds ago.
    expect(since("True", ago(5_000))).toMatchObject({ requeueAfterMs: 6_000 });
    expect(since("False", ago(15_000)).requeueAfterMs).toBeGreaterThan(60_000);
    expect(since("True", ago(40_000)).requeueAfterMs).toBeGreaterThan(60_000);
  });

  it("looks again as soon as tasks use credentials that were repaired, if the task could not sign in", () => {
    const waits = (lastTransitionTime: string): number | undefined =>
      decide(
        {},
        {
          report: { not: "SignedOut" },
          signedIn: { type: "CredentialsValid", status: "True", reason: "x", message: "", lastTransitionTime },
        },
      ).requeueAfterMs;
    expect(waits(ago(5_000))).toBe(6_000);
    expect(waits(ago(60_000))).toBe(300_000);
  });

  it("keeps the reason SignedOut until the report is posted, not only tried", () => {
    const signedOut = { type: "Reported", status: "Unknown", reason: "SignedOut" } as const;
    const trying = decide(posted("before", { toldAt: ago(600_000) }), { conditions: [signedOut] });
    expect(trying).toEqual({ actions: [expect.objectContaining({ do: "update" })], requeueAfterMs: 0 });
    expect(decide(posted("the report"), { conditions: [signedOut] }).drop).toEqual(["Reported"]);
  });

  it("removes the reason of a failure after a success, also while the work goes on", () => {
    const notPosted = { type: "Reported", status: "Unknown", reason: "NotPosted" } as const;
    expect(decide(posted("the report", { failures: 0 }), { conditions: [notPosted] })).toEqual({
      drop: ["Reported"],
      requeueAfterMs: 60_000,
    });
    const incomplete = { ...notPosted, reason: "MoreToTell" };
    expect(decide(posted("the report", { failures: 0 }), { conditions: [incomplete] })).toEqual({
      requeueAfterMs: 60_000,
    });
  });

  it("leaves a locked thread alone until the task ends, asks once more for the end, and then says why nothing was posted", () => {
    const locked: ReportStatus = { intent: "task:uid-shop-abc", reacted: true, failures: 1, locked: true };
    locked.lastError = "cannot post the report: the issue is locked";
    locked.toldAt = ago(60_000);
    expect(decide(locked)).toEqual({});
    const justEnded = { conditions: [over], status: { completionTime: ago(1_000) } };
    expect(decide(locked, justEnded).actions).toMatchObject([{ do: "create", search: true }]);
    const askedAgain = decide({ ...locked, failures: 2, toldAt: ago(500) }, justEnded);
    expect(askedAgain).toEqual({
      conditions: [
        {
          type: "Reported",
          status: "False",
          reason: "ThreadLocked",
          message: "The report was not posted: cannot post the report: the issue is locked",
        },
      ],
    });
  });

  it("does not count failures from before the end against the final text", () => {
    const failing = posted("before", { failures: 99, toldAt: ago(300_000), lastError: "502" });
    const ended = { conditions: [over], status: { completionTime: ago(1_000) } };
    expect(decide(failing, ended).actions).toMatchObject([{ do: "update" }]);
    const once = posted("before", { failures: 1, toldAt: ago(300_000), lastError: "502" });
    const longAgo = { conditions: [over], status: { completionTime: ago(24 * 3_600_000) } };
    expect(decide(once, longAgo).actions).toMatchObject([{ do: "update" }]);
  });

  it("waits for an integration that cannot sign in, even when the task is over", () => {
    for (const conditions of [[], [over]]) {
      const message = "GitHubIntegration shop cannot sign in: its conditions say why. The report waits.";
      expect(decide({}, { report: { not: "SignedOut" }, conditions })).toEqual({
        conditions: [{ type: "Reported", status: "Unknown", reason: "SignedOut", message }],
        requeueAfterMs: 300_000,
      });
    }
  });

  it("reports nothing if the provider has no messages", () => {
    expect(decide({}, { report: { not: "NoThread" } })).toEqual({});
    expect(decide({}, { report: { not: "NoThread" }, conditions: [over] }).conditions).toMatchObject([
      { type: "Reported", status: "True" },
    ]);
  });

  it.each([
    { name: "a stop that was carried out", reason: "Stopped", status: "True", says: false },
    { name: "a retry that has started", reason: "Retried", status: "True", says: false },
    { name: "an answer", reason: "Status", status: "True", says: true },
    { name: "a command that was refused", reason: "WrongCommit", status: "False", says: true },
  ] as const)("posts a report for $name: $says", ({ reason, status, says }) => {
    const conditions = [{ type: "Succeeded", status, reason }];
    const decision = decide({ reacted: true }, { spec: { command: "stop" }, conditions });
    expect(decision.actions !== undefined).toBe(says);
    expect(decision.conditions !== undefined).toBe(!says);
  });

  it("posts nothing for a command before it is carried out", () => {
    expect(decide({ reacted: true }, { spec: { command: "stop" } })).toEqual({});
  });
});

describe("the report of a message without a mention", () => {
  const source = { signal: { type: "Mention", followUp: true } } as const;
  const refused = { type: "Authorized", status: "False", reason: "NotAuthorized" } as const;
  const unknown = { type: "Authorized", status: "Unknown", reason: "Unavailable" } as const;

  it.each([["work", {}] as const, ["a command", { command: "status" }] as const])(
    "shows nothing for %s of a person who may not ask for it",
    (_, spec) => {
      const decision = decide({}, { source, spec, conditions: [refused] });
      expect(decision.actions).toBeUndefined();
      expect(decision.conditions).toMatchObject([{ type: "Reported", status: "True", reason: "Nothing" }]);
    },
  );

  it("shows nothing before its author is authorised", () => {
    for (const conditions of [[], [unknown]]) expect(decide({}, { source, conditions })).toEqual({});
  });

  it("is like any other once its author is authorised", () => {
    expect(decide({}, { source, conditions: ["Authorized"] }).actions).toEqual([{ do: "react" }]);
    expect(decide({ reacted: true }, { source, conditions: ["Authorized"] }).actions).toMatchObject([{ do: "create" }]);
  });

  it("is brought up to date if it was posted before", () => {
    expect(decide(posted("before"), { source, conditions: [refused] }).actions).toMatchObject([{ do: "update" }]);
  });

  it("does not apply to a mention, which is refused in the thread", () => {
    const mention = { signal: { type: "Mention" } } as const;
    expect(decide({ reacted: true }, { source: mention, conditions: [refused] }).actions).toMatchObject([
      { do: "create" },
    ]);
  });
});
