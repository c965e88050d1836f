import { describe, expect, it } from "vitest";
import type { AgentTask } from "../../api/kinds.ts";
import { fixesBefore } from "./conversation.ts";
import { aTask, countingIndex, shaOf, taskCacheOf, type TaskOverrides } from "./testing.ts";

const commit = shaOf("c");
const subject = { type: "Change", key: "acme/shop#57", number: 57 } as const;
const owner = aTask({
  name: "owner",
  createdAt: "2026-03-01T11:00:00Z",
  conditions: ["Authorized", "Succeeded"],
  status: { conversation: "acme/shop#42", result: { branch: "bellhop/42-x", commit, changeNumber: 57 } },
});

function failedCheck(name: string, minute: number, over: TaskOverrides = {}): AgentTask {
  return aTask({
    name,
    createdAt: `2026-03-01T11:0${minute}:00Z`,
    source: { cause: name, subject, object: { type: "CheckSuite", id: name, headSHA: commit } },
    spec: { conversation: "acme/shop#57" },
    ...over,
  });
}

describe("the number of earlier fixes for failed checks", () => {
  it("is zero for the first of two simultaneous tasks, and one for the second", () => {
    for (const [first, second] of [
      [failedCheck("b", 1), failedCheck("a", 2)],
      [failedCheck("a", 1), failedCheck("b", 1)],
    ] as const) {
      const tasks = taskCacheOf([owner, second, first]);
      expect(fixesBefore(first, owner, tasks)).toBe(0);
      expect(fixesBefore(second, owner, tasks)).toBe(1);
    }
  });

  it("counts later tasks that were authorised in the meantime, and no refused ones", () => {
    const task = failedCheck("a", 1);
    const letThrough = failedCheck("b", 2, { conditions: ["Authorized"], status: { conversation: "acme/shop#42" } });
    const refused = failedCheck("c", 0, { conditions: [{ type: "Authorized", status: "False" }] });
    const notOurs = failedCheck("d", 0, {
      source: { cause: "d", subject, object: { type: "CheckSuite", id: "d", headSHA: shaOf("e") } },
    });
    expect(fixesBefore(task, owner, taskCacheOf([owner, task, letThrough, refused, notOurs]))).toBe(1);
  });

  it("needs no look-up for refused tasks, and three look-ups for each task that is not authorised yet", () => {
    const task = failedCheck("last", 9);
    const others = (conditions: TaskOverrides["conditions"]): AgentTask[] =>
      Array.from({ length: 3_000 }, (_, n) => failedCheck(`${n}`, 1, conditions ? { conditions } : {}));
    const [refused, unjudged] = [others([{ type: "Authorized", status: "False" }]), others(undefined)];
    const amongRefused = countingIndex([owner, task, ...refused]);
    expect(fixesBefore(task, owner, amongRefused.tasks)).toBe(0);
    expect(amongRefused.seen()).toBeLessThan(10);
    const amongUnjudged = countingIndex([owner, task, ...unjudged]);
    expect(fixesBefore(task, owner, amongUnjudged.tasks)).toBe(3_000);
    expect(amongUnjudged.seen()).toBeLessThan(4 * 3_000);
  });
});
