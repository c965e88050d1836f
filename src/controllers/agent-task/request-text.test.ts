import { describe, expect, it } from "vitest";
import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { aConnection, fakeHost } from "../../integrations/testing.ts";
import type { EventRepository } from "../../integrations/event.ts";
import { repository } from "./repository.ts";
import { requestText } from "./request-text.ts";
import { withoutTexts } from "./task-index.ts";
import {
  aThreadTask,
  anIntegration,
  facts,
  stepContext,
  taskCacheOf,
  taskDeps,
  type TaskOverrides,
} from "./testing.ts";

const guide = "Follow https://github.com/acme/handbook\nRepository: acme/handbook";
const triggers = [
  { name: "mention", mention: {}, prompt: guide },
  { name: "plain", mention: {} },
];
/** A task that a trigger created from a person's text. */
const made = (prompt: string, over: TaskOverrides = {}): AgentTask =>
  aThreadTask({ conditions: ["Authorized"], ...over, spec: { prompt, ...over.spec } });
const by = (trigger: string, text = "raw"): Pick<TaskOverrides, "source"> => ({ source: { trigger, text } });

/** The context of a task among others, whose integration is named as theirs is. */
function contextOf(task: AgentTask, others: AgentTask[] = []) {
  const kube = createFakeClient();
  for (const one of [task, ...others]) kube.seed(AgentTaskKind, one);
  const { host } = fakeHost({ named: ["handbook", "shop"].map(named) });
  const tasks = taskCacheOf([task]);
  return stepContext({
    deps: taskDeps({ kube, tasks }),
    facts: facts({ task: withoutTexts(task), tasks, integration: anIntegration({ triggers }) }),
    connection: async () => aConnection({ codeHost: host }),
  });
}

function named(name: string): EventRepository {
  return { id: name, host: "github.com", owner: "acme", name, private: false };
}

describe("the text of a request", () => {
  it.each([
    ["has no prompt of the trigger", made(`${guide}\n\nfix it`, by("mention")), "fix it"],
    ["is empty if the person wrote nothing", made(guide, by("mention")), ""],
    ["is the whole prompt if the trigger has none", made("fix it", by("plain")), "fix it"],
    ["is what the provider sent if the trigger has another prompt now", made("Old.\n\nfix it", by("mention")), "raw"],
    ["is what the provider sent if the trigger is gone", made("Old.\n\nfix it", by("former")), "raw"],
  ])("%s", async (_what, task, text) => {
    expect((await requestText(contextOf(task))).trim()).toBe(text);
  });

  it("is that of the first request if a retry repeats a retry", async () => {
    const first = made(`${guide}\n\nfix it`, { name: "first", ...by("mention") });
    const again = (name: string, of: string): AgentTask =>
      made(`${guide}\n\nfix it`, { name, spec: { retryOf: { name: of } } });
    const second = again("second", "first");
    expect((await requestText(contextOf(again("third", "second"), [second, first]))).trim()).toBe("fix it");
    expect(await requestText(contextOf(again("third", "second"), [second]))).toBe("");
  });

  it("does not follow retries in a circle", async () => {
    const circle = made("fix it", { name: "circle", spec: { retryOf: { name: "circle" } } });
    expect(await requestText(contextOf(circle))).toBe("");
  });

  it("alone decides the repository", async () => {
    const read = (text: string) => repository.gather(contextOf(made(`${guide}\n\n${text}`, by("mention"))));
    expect(await read("fix it")).toHaveProperty("choices");
    expect(await read("fix it\nRepository: acme/shop")).toMatchObject({ found: { name: "shop" }, from: "Line" });
  });
});
