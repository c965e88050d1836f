import { describe, expect, it } from "vitest";
import { phases } from "../../../api/agent-task-status.ts";
import type { Condition } from "../../../kube/types.ts";
import { phaseOf } from "../status.ts";
import { anIntegration, aTask, noon, rendered, shaOf, type TaskOverrides } from "../testing.ts";
import { reportOf } from "./text.ts";

const ago = (minutes: number): string => new Date(noon.getTime() - minutes * 60_000).toISOString();
const not = (type: string, reason: string, message: string): Partial<Condition> => ({
  type,
  status: "False",
  reason,
  message,
});
const unsure = (type: string, reason: string, message: string): Partial<Condition> => ({
  ...not(type, reason, message),
  status: "Unknown",
});

const read = {
  type: "ContextReady",
  reason: "Gathered",
  message: "Read the description and 3 comments; works on branch `bellhop/42-fix`, on `main` at `3f2a1c9`.",
} as const;
const checkout = { baseRef: "main", headRef: "bellhop/42-fix", headSHA: `3f2a1c9${"0".repeat(33)}`, newBranch: true };
const admitted = ["Authorized", "Admitted"] as const;
const prepared = [...admitted, read] as const;
const startTime = ago(6);
const attempts = [{ number: 1, podName: "shop-abc-sandbox-1", podUID: "u-1" }];
const atWork = { checkout, startTime, attempts };
const ended = { ...atWork, completionTime: noon.toISOString() };
const progress = { updatedAt: ago(1), attempt: 1, step: "fixing the failing test" };
const result = { branch: "bellhop/42-fix", commit: shaOf("b"), changeNumber: 57, changeDraft: true };

const going = "`@bellhop stop` stops it";
const worked = "6 m · `bellhop/42-fix` · `@bellhop stop` stops it";
const further = "Reply `@bellhop …` to continue; commands: `stop`, `retry`, `status`, `help`.";

interface Row {
  when: string;
  task: TaskOverrides;
  reads: string[];
}

const sources = { integration: anIntegration(), excerpt: "fix the login", now: noon };

/** The report in each phase, and for each reason that a task waits in that phase. */
const rows: Row[] = [
  {
    when: "WaitingForInput: somebody has to approve the work",
    task: {
      conditions: ["Authorized", unsure("Approved", "WaitingForApproval", "Only some people can read this thread.")],
    },
    reads: [
      "**Waiting for an answer** · asked by @ana: “fix the login” · task `shop-abc`",
      "Only some people can read this thread.",
      going,
    ],
  },
  {
    when: "Pending: nothing is known yet",
    task: {},
    reads: ["**Received** · asked by @ana: “fix the login” · task `shop-abc`", going],
  },
  {
    when: "Pending: the provider does not answer",
    task: { conditions: [unsure("Authorized", "Unavailable", "GitHub answered 502. Trying again.")] },
    reads: [
      "**Received** · asked by @ana: “fix the login” · task `shop-abc`",
      "GitHub answered 502. Trying again.",
      going,
    ],
  },
  {
    when: "Queued: the limits are not checked yet",
    task: {
      conditions: ["Authorized", not("Admitted", "Queued", "Waiting for the next check of the concurrency limits.")],
    },
    reads: [
      "**Queued** · asked by @ana: “fix the login” · task `shop-abc`",
      "Waiting for the next check of the concurrency limits.",
      going,
    ],
  },
  {
    when: "Queued: a limit is reached",
    task: {
      conditions: ["Authorized", not("Admitted", "Queued", "Queued, 6 ahead: at most 2 tasks run at once.")],
      status: { queue: { position: 6, limit: "at most 2 tasks run at once", since: ago(1) } },
    },
    reads: [
      "**Queued**, 6 ahead · asked by @ana: “fix the login” · task `shop-abc`",
      "At most 2 tasks run at once.",
      going,
    ],
  },
  {
    when: "Queued: a limit is reached, and this one is next",
    task: {
      conditions: ["Authorized", not("Admitted", "Queued", "Queued, next in line: at most 1 task runs at once.")],
      status: { queue: { position: 0, limit: "at most 1 task runs at once", since: ago(1) } },
    },
    reads: [
      "**Queued**, next in line · asked by @ana: “fix the login” · task `shop-abc`",
      "At most 1 task runs at once.",
      going,
    ],
  },
  {
    when: "Queued: a task of the conversation goes first",
    task: {
      conditions: ["Authorized", not("Admitted", "ConversationBusy", "Queued, 1 ahead: one task at a time.")],
      status: { queue: { position: 1, limit: "one task of a conversation runs at a time", since: ago(1) } },
    },
    reads: [
      "**Queued**, 1 ahead · asked by @ana: “fix the login” · task `shop-abc`",
      "One task of a conversation runs at a time.",
      going,
    ],
  },
  {
    when: "Queued: the profile is not ready, whatever the place in the queue was before",
    task: {
      conditions: [
        "Authorized",
        not("Admitted", "ProfileNotReady", "AgentProfile default does not exist in this namespace"),
      ],
      status: { queue: { position: 3, limit: "at most 2 tasks run at once", since: ago(1) } },
    },
    reads: [
      "**Waiting** · asked by @ana: “fix the login” · task `shop-abc`",
      "AgentProfile default does not exist in this namespace",
      going,
    ],
  },
  {
    when: "Preparing: nothing is read yet",
    task: { conditions: [...admitted] },
    reads: ["**Getting ready** · asked by @ana: “fix the login” · task `shop-abc`", "- [ ] read the issue", going],
  },
  {
    when: "Preparing: the provider does not answer",
    task: { conditions: [...admitted, unsure("ContextReady", "RateLimited", "GitHub's limit is reached.")] },
    reads: [
      "**Getting ready** · asked by @ana: “fix the login” · task `shop-abc`",
      "- [ ] read the issue\n- [ ] GitHub's limit is reached.",
      going,
    ],
  },
  {
    when: "Preparing: the sandbox is created",
    task: {
      conditions: [...prepared, not("SandboxReady", "Creating", "Creating pod shop-abc-sandbox-1.")],
      status: { checkout, attempts },
    },
    reads: [
      "**Getting ready** · asked by @ana: “fix the login” · task `shop-abc`",
      "- [x] read the description and 3 comments\n- [ ] checked out `main` at 3f2a1c9\n- [ ] Creating pod shop-abc-sandbox-1.",
      "`bellhop/42-fix` · `@bellhop stop` stops it",
    ],
  },
  ...(["QuotaExceeded", "ProfileNotReady", "ProfileNotFound"] as const).map((reason) => ({
    when: `Preparing: somebody has to change something (${reason})`,
    task: {
      conditions: [...prepared, not("SandboxReady", reason, "Waiting for quota: 10 pods.")],
      status: { checkout, attempts },
    },
    reads: [
      "**Waiting** · asked by @ana: “fix the login” · task `shop-abc`",
      "- [x] read the description and 3 comments\n- [ ] checked out `main` at 3f2a1c9\n- [ ] Waiting for quota: 10 pods.",
      "`bellhop/42-fix` · `@bellhop stop` stops it",
    ],
  })),
  {
    when: "Preparing: again, after a node was lost with the agent's progress",
    task: {
      conditions: [...prepared, not("SandboxReady", "NodeLost", "Trying again: node n1 is gone.")],
      status: { ...atWork, attempts: [{ ...attempts[0], number: 1, podName: "p", reason: "NodeLost" }], progress },
    },
    reads: [
      "**Getting ready** · asked by @ana: “fix the login” · task `shop-abc`",
      "- [x] read the description and 3 comments\n- [ ] checked out `main` at 3f2a1c9\n- [ ] Trying again: node n1 is gone.",
      worked,
    ],
  },
  {
    when: "Running: the agent works",
    task: { conditions: [...prepared, "SandboxReady"], status: { ...atWork, progress } },
    reads: [
      "**Bellhop is on it** · asked by @ana: “fix the login” · task `shop-abc`",
      "- [x] read the description and 3 comments\n- [x] checked out `main` at 3f2a1c9\n- [ ] fixing the failing test",
      worked,
    ],
  },
  {
    when: "Publishing: the push is allowed",
    task: {
      conditions: [...prepared, "SandboxReady"],
      status: { ...atWork, publish: { ref: "refs/heads/bellhop/42-fix", newId: shaOf("b") } },
    },
    reads: [
      "**Publishing** · asked by @ana: “fix the login” · task `shop-abc`",
      "- [x] read the description and 3 comments\n- [x] checked out `main` at 3f2a1c9\n- [ ] publish the work",
      worked,
    ],
  },
  {
    when: "Publishing: the host does not answer",
    task: {
      conditions: [...prepared, "SandboxReady", unsure("Succeeded", "Unavailable", "Could not read the branch.")],
      status: { ...atWork, publish: { ref: "refs/heads/bellhop/42-fix", newId: shaOf("b") } },
    },
    reads: [
      "**Publishing** · asked by @ana: “fix the login” · task `shop-abc`",
      "- [x] read the description and 3 comments\n- [x] checked out `main` at 3f2a1c9\n- [ ] Could not read the branch.",
      worked,
    ],
  },
  {
    when: "Succeeded: with a change",
    task: {
      conditions: ["Authorized", { type: "Succeeded", reason: "Published", message: "pushed" }],
      status: { ...ended, result: { ...result, summary: "Sums are right now." } },
    },
    reads: [
      "**Done in 6 m 00 s** · draft PR #57 · asked by @ana: “fix the login”",
      "`bellhop/42-fix` at bbbbbbb",
      "Sums are right now.",
      further,
    ],
  },
  {
    when: "Succeeded: without one",
    task: {
      conditions: ["Authorized", { type: "Succeeded", reason: "NoChanges", message: "The agent changed nothing." }],
      status: ended,
    },
    reads: ["**Done in 6 m 00 s** · asked by @ana: “fix the login”", "The agent changed nothing.", further],
  },
  {
    when: "Failed: after it ran",
    task: { conditions: ["Authorized", not("Succeeded", "AgentFailed", "The agent ended with 1.")], status: ended },
    reads: ["**Failed after 6 m 00 s** · asked by @ana: “fix the login”", "The agent ended with 1.", further],
  },
  {
    when: "Failed: before it ran",
    task: { conditions: [...admitted, not("Succeeded", "RepositoryGone", "The repository is gone.")] },
    reads: ["**Failed** · asked by @ana: “fix the login”", "The repository is gone.", further],
  },
  {
    when: "Cancelled: while it ran",
    task: { conditions: ["Authorized", not("Succeeded", "Cancelled", "Stopped by bob.")], status: ended },
    reads: ["**Stopped after 6 m 00 s** · asked by @ana: “fix the login”", "Stopped by bob.", further],
  },
  {
    when: "Cancelled: while it was queued",
    task: {
      conditions: [
        "Authorized",
        not("Admitted", "Queued", "Queued, 2 ahead: at most 2 tasks run at once."),
        not("Succeeded", "Cancelled", "Stopped by bob."),
      ],
    },
    reads: ["**Stopped** · asked by @ana: “fix the login”", "Stopped by bob.", further],
  },
  {
    when: "Refused",
    task: { conditions: [not("Authorized", "NotAuthorized", "@ana has read access on acme/shop.")] },
    reads: ["**Not done** · asked by @ana: “fix the login”", "@\u200bana has read access on acme/shop."],
  },
  {
    when: "Delivered",
    task: { conditions: ["Authorized", { type: "Succeeded", reason: "Delivered", message: "It goes on with that." }] },
    reads: ["**Passed on to the running task** · asked by @ana: “fix the login”", "It goes on with that.", further],
  },
  {
    when: "Duplicate",
    task: { conditions: ["Authorized", { type: "Succeeded", reason: "Duplicate", message: "Another task has it." }] },
    reads: ["**Already requested** · asked by @ana: “fix the login”", "Another task has it.", further],
  },
];

const aCommand = (reason: string, over: Partial<Condition> = {}): TaskOverrides => ({
  spec: { command: "status" },
  conditions: ["Authorized", { type: "Succeeded", reason, message: "shop-abc: Running.", ...over }],
});

describe("the report agrees with the phase", () => {
  it.each(rows)("$when", ({ when, task, reads }) => {
    const given = aTask(task);
    expect(phaseOf(given)).toBe(/^[A-Za-z]+/.exec(when)?.[0]);
    const text = rendered(reportOf({ task: given, ...sources }));
    expect(text.split("\n\n")).toEqual(reads);
  });

  it("in every phase that a task of work can have", () => {
    const shown = new Set(rows.map(({ task }) => phaseOf(aTask(task))));
    expect(phases.filter((phase) => !shown.has(phase))).toEqual([]);
  });

  it("in the answer to a command, which mentions a person only if it was not carried out", () => {
    const say = (task: TaskOverrides): string[] =>
      rendered(reportOf({ task: aTask(task), ...sources, excerpt: "status" })).split("\n\n");
    expect(say(aCommand("Status"))).toEqual(["**Answer** · asked by @\u200bana: “status”", "shop-abc: Running."]);
    expect(say(aCommand("StillRunning", { status: "False", message: "It still runs." }))).toEqual([
      "**Not done** · asked by @ana: “status”",
      "It still runs.",
    ]);
  });
});
