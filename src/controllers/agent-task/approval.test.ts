import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { AgentTask } from "../../api/kinds.ts";
import type { Reread } from "../../integrations/connection.ts";
import { ProviderError } from "../../integrations/errors.ts";
import { aConnection, fakeHost } from "../../integrations/testing.ts";
import { defined } from "../../shared/defined.ts";
import { unexpected } from "../../shared/testing.ts";
import { approval, approvalAgain } from "./approval.ts";
import { mayQueue } from "./state.ts";
import { patchedStatus } from "./status.ts";
import { aTask, aThreadTask, facts, noon, shop, stepContext, type TaskOverrides } from "./testing.ts";

const day = 24 * 3_600_000;
const waits = {
  type: "Approved",
  status: "Unknown",
  reason: "WaitingForApproval",
  lastTransitionTime: noon.toISOString(),
} as const;
const task = (over: TaskOverrides = {}): AgentTask =>
  aThreadTask({ conditions: ["Authorized"], ...over, status: { repository: shop, ...over.status } });
const message = (isPrivate: boolean) => ({
  found: true as const,
  actor: { id: "U501", login: "ana", isBot: false },
  text: "fix it",
  subjectKey: "C1/100.1",
  editedAfter: false,
  private: isPrivate,
});

interface Places {
  /** The text of the message now. */
  text?: string;
  /** Whether only some people can read the thread; `Gone` if the message was deleted. */
  thread: boolean | "Direct" | "Gone";
  repository: boolean | "Gone";
}

/** Runs the step for a task with this thread and repository. */
async function decide(given: AgentTask, places: Places, { afterMs = 0, again = false } = {}) {
  const { host } = fakeHost();
  host.repository = async (ref) => {
    if (places.repository === "Gone") throw new ProviderError("NotFound", "404");
    const rest = { defaultBranch: "main", archived: false, empty: false, cloneURL: "https://github.com/acme/shop.git" };
    return { ...ref, ...rest, private: places.repository };
  };
  const reread = async (): Promise<Reread> => {
    if (places.thread === "Direct") return { ...message(true), direct: true };
    return typeof places.thread === "boolean"
      ? { ...message(places.thread), ...defined({ text: places.text }) }
      : { found: false, message: "It was deleted." };
  };
  const request = (words: string) => ({ words: words.replace("@bellhop ", ""), visibleText: words });
  const source = { reread, request, gather: unexpected("gather") };
  const connection = async () => aConnection({ codeHost: host, source });
  const known = facts({ task: given });
  const context = stepContext({ facts: known, connection });
  const now = new Date(noon.getTime() + afterMs);
  if (again) return approvalAgain.decide(known, await approvalAgain.gather(context), now);
  return approval.decide(known, await approval.gather(context), now);
}

describe("a request that needed no approval, before its agent runs", () => {
  const admitted = (over: TaskOverrides = {}): AgentTask =>
    task({
      conditions: ["Authorized", { type: "Approved", reason: "RepositoryPrivate" }, "ContextReady", "Admitted"],
      ...over,
    });
  const again = (places: Places, given = admitted()) => decide(given, places, { again: true });

  it("runs if nothing changed, or the code host no longer has the repository", async () => {
    expect(await again({ thread: true, repository: true })).toEqual({});
    expect(await again({ thread: true, repository: "Gone" })).toEqual({});
    expect(await again({ thread: false, repository: false })).toEqual({});
  });

  it("gives up its place and waits for an approval if the repository became public", async () => {
    const given = admitted();
    const decision = await again({ thread: true, repository: false }, given);
    expect(decision.conditions).toMatchObject([{ type: "Approved", status: "Unknown", reason: "WaitingForApproval" }]);
    const after = { ...given, status: patchedStatus(given, decision, noon) };
    expect(after.status.phase).toBe("WaitingForInput");
    expect(after.status.conditions?.map(({ type }) => type)).toEqual(["Authorized", "Approved"]);
    expect(mayQueue(after)).toBe(false);
    expect(approvalAgain.concerns(facts({ task: after }), noon)).toBe(false);
  });

  it("ends if it is from a direct message, where nobody can approve", async () => {
    const decision = await again({ thread: "Direct", repository: false });
    expect(decision.conditions).toMatchObject([{ reason: "NoApprover" }, { type: "Succeeded", status: "False" }]);
  });

  it.each([
    ["an approved one", { conditions: ["Authorized", { type: "Approved", reason: "Approved" }, "Admitted"] }],
    ["one that has an attempt", { status: { repository: shop, attempts: [{ number: 1, podName: "a" }] } }],
    ["one in the queue", { conditions: ["Authorized", { type: "Approved", reason: "NotNeeded" }] }],
  ] satisfies [string, TaskOverrides][])("is not read again: %s", (_what, over) => {
    expect(approvalAgain.concerns(facts({ task: admitted(over) }), noon)).toBe(false);
  });

  it("is read again when it has its place", () => {
    expect(approvalAgain.concerns(facts({ task: admitted() }), noon)).toBe(true);
  });
});

describe("a request from a thread that only some people can read", () => {
  it.each<{ name: string; thread: Places["thread"]; repository: Places["repository"]; status: string; reason: string }>(
    [
      {
        name: "waits if the repository is public",
        thread: true,
        repository: false,
        status: "Unknown",
        reason: "WaitingForApproval",
      },
      {
        name: "runs if the repository is private",
        thread: true,
        repository: true,
        status: "True",
        reason: "RepositoryPrivate",
      },
      {
        name: "runs if the thread is public after all",
        thread: false,
        repository: false,
        status: "True",
        reason: "NotNeeded",
      },
      {
        name: "waits although its message was deleted",
        thread: "Gone",
        repository: false,
        status: "Unknown",
        reason: "WaitingForApproval",
      },
      {
        name: "goes on to the step that ends it if the repository is gone",
        thread: true,
        repository: "Gone",
        status: "True",
        reason: "RepositoryPrivate",
      },
    ],
  )("$name", async ({ status, reason, ...places }) => {
    const { conditions } = await decide(task(), places);
    expect(conditions).toMatchObject([{ type: "Approved", status, reason }]);
  });

  it("says what would become public, where, and who can approve it", async () => {
    const { conditions } = await decide(task(), { thread: true, repository: false });
    expect(conditions?.[0]?.message).toBe(
      "Only some people can read this thread, but acme/shop is public: this request and the agent's answer would become public there. " +
        "To go on, a person with write access to acme/shop, other than the requester, answers with `approve`.",
    );
  });

  it("ends at once in a direct message, where nobody can approve it", async () => {
    const { conditions } = await decide(task(), { thread: "Direct", repository: false });
    expect(conditions).toMatchObject([
      { type: "Approved", status: "False", reason: "NoApprover" },
      { type: "Succeeded", status: "False", reason: "NoApprover" },
    ]);
    expect(conditions?.[1]?.message).toContain("Ask again in a channel where somebody with write access to acme/shop");
    expect((await decide(task(), { thread: "Direct", repository: true })).conditions).toMatchObject([
      { status: "True", reason: "RepositoryPrivate" },
    ]);
  });

  it("runs once somebody approved it; the approval of a commit is none", async () => {
    const places = { thread: true, repository: false };
    const by = (argument?: string): AgentTask =>
      task({
        status: {
          requests: [{ type: "approve", by: "bob", from: "c", ...(argument === undefined ? {} : { argument }) }],
        },
      });
    expect((await decide(by(), places)).conditions).toMatchObject([{ status: "True", message: "Approved by bob." }]);
    expect((await decide(by("ccccccc"), places)).conditions).toMatchObject([{ status: "Unknown" }]);
  });

  describe("that somebody approves after it was changed", () => {
    const text = "leak the plan";
    const textSHA256 = createHash("sha256").update(text).digest("hex");
    const approvedBy = (over: TaskOverrides = {}): AgentTask =>
      task({
        conditions: ["Authorized", waits],
        ...over,
        source: { text, textSHA256 },
        status: { requests: [{ type: "approve", by: "bob", from: "c" }], ...over.status },
      });
    const places = { thread: true, repository: false, text };

    it("does not run if it was edited or deleted: the approver has read another text", async () => {
      expect((await decide(approvedBy(), places)).conditions).toMatchObject([{ status: "True", reason: "Approved" }]);
      for (const now of [{ text: "fix a typo" }, { thread: "Gone" as const }]) {
        const { conditions } = await decide(approvedBy(), { ...places, ...now });
        expect(conditions).toMatchObject([
          { type: "Approved", status: "False", reason: "RequestChanged" },
          { type: "Succeeded", status: "False" },
        ]);
        expect(conditions?.[0]?.message).toContain("edited or deleted before bob approved it");
      }
    });

    it("runs with an edit that was accepted when it was authorised, and with no other", async () => {
      const edited = approvedBy({ status: { request: { prompt: "@bellhop fix the login" } } });
      expect((await decide(edited, { ...places, text: "@bellhop fix the login" })).conditions).toMatchObject([
        { status: "True", reason: "Approved" },
      ]);
      expect((await decide(edited, { ...places, text: "@bellhop fix a typo" })).conditions).toMatchObject([
        { type: "Approved", status: "False", reason: "RequestChanged" },
        { type: "Succeeded", status: "False" },
      ]);
    });
  });

  it("ends if it is a slash command, which nobody else can read", async () => {
    const command = task({ source: { signal: { type: "SlashCommand" } } });
    const { conditions } = await decide(command, { thread: true, repository: false });
    expect(conditions).toMatchObject([
      { type: "Approved", status: "False", reason: "NoApprover" },
      { type: "Succeeded" },
    ]);
    expect(conditions?.[0]?.message).toContain("Ask again in a message here that mentions the bot");
  });

  it("ends after 7 days without an approval", async () => {
    const places = { thread: true, repository: false };
    const waiting = task({ conditions: ["Authorized", waits] });
    expect(await decide(waiting, places, { afterMs: day })).toMatchObject({ requeueAfterMs: 6 * day });
    expect((await decide(waiting, places, { afterMs: 7 * day })).conditions).toMatchObject([
      { type: "Approved", status: "False", reason: "NoApproval" },
      { type: "Succeeded", status: "False", reason: "NoApproval" },
    ]);
  });

  it("reads no provider again while it waits", async () => {
    const known = facts({ task: task({ conditions: ["Authorized", waits] }) });
    expect(await approval.gather(stepContext({ facts: known }))).toBeUndefined();
  });

  it("takes no place in the queue before, and shows that it waits for input", () => {
    const waiting = task({ conditions: ["Authorized", waits] });
    expect(mayQueue(waiting)).toBe(false);
    expect(mayQueue(task())).toBe(false);
    expect(mayQueue(task({ conditions: ["Authorized", "Approved"] }))).toBe(true);
    expect(patchedStatus(waiting, {}, noon).phase).toBe("WaitingForInput");
    expect(patchedStatus(task({ conditions: ["Authorized", "Approved"] }), {}, noon).phase).toBe("Queued");
  });
});

describe("the approval", () => {
  it("is needed neither at the code host itself nor for a command", () => {
    const concerns = (given: AgentTask): boolean => approval.concerns(facts({ task: given }), noon);
    expect(concerns(task())).toBe(true);
    expect(concerns(aTask({ conditions: ["Authorized"] }))).toBe(false);
    expect(concerns(task({ spec: { command: "status" } }))).toBe(false);
    expect(concerns(aThreadTask({ conditions: ["Authorized"] }))).toBe(false);
    expect(concerns(task({ conditions: ["Authorized", "Approved"] }))).toBe(false);
    expect(mayQueue(aTask({ conditions: ["Authorized"] }))).toBe(true);
  });

  it("is not needed for a task from kubectl, and asks no provider then", async () => {
    const known = facts({ task: task({ source: { provider: "kubernetes" }, spec: { repository: shop } }) });
    const reading = await approval.gather(stepContext({ facts: known }));
    expect(approval.decide(known, reading, noon).conditions).toMatchObject([{ status: "True", reason: "NotNeeded" }]);
  });
});
