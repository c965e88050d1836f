import { describe, expect, it } from "vitest";
import type { AgentTask } from "../../api/kinds.ts";
import { ProviderError } from "../../integrations/errors.ts";
import { cleanup, type CleanupAction } from "./cleanup.ts";
import { defaultConfig } from "./deps.ts";
import type { StepContext } from "./steps.ts";
import { aChange, aTask, facts, fakeHost, noon, shaOf, type TaskOverrides } from "./testing.ts";

const { retention } = defaultConfig;
const due = new Date(noon.getTime() + retention.taskMs);
const branch = "bellhop/42-fix";

function ended(name: string, over: TaskOverrides = {}): AgentTask {
  const result = { branch, commit: shaOf("c"), changeNumber: 57 };
  const status = { completionTime: noon.toISOString(), result, ...over.status };
  return aTask({ name, conditions: ["Authorized", "Succeeded"], source: { cause: name }, ...over, status });
}

/** What becomes of a task a week after its end, where the host shows the change as given. */
async function aWeekLater(
  task: AgentTask,
  tasks: AgentTask[],
  { state = "Open", holdsTokens = false }: { state?: "Open" | "Merged" | "Gone"; holdsTokens?: boolean } = {},
): Promise<readonly CleanupAction[] | undefined> {
  const { host } = fakeHost({ changes: state === "Gone" ? [] : [aChange({ number: 57, state })] });
  if (state === "Gone") host.change = () => Promise.reject(new ProviderError("NotFound", "404"));
  const given = facts({ task, tasks });
  const reading = await cleanup.gather({
    deps: {
      config: defaultConfig,
      sandbox: { observe: () => ({ state: "Missing" }) },
      credentials: { holds: () => holdsTokens },
      clock: { now: () => due },
    },
    facts: given,
    connection: () => Promise.resolve({ codeHost: host }),
    signal: new AbortController().signal,
  } as unknown as StepContext);
  return cleanup.decide(given, reading, due).actions;
}

describe("a task whose time to be kept is up", () => {
  const first = ended("first", { createdAt: "2026-03-01T11:01:00Z" });
  const second = ended("second", { createdAt: "2026-03-01T11:02:00Z" });

  it("stays while there is work of it in an open change, also where newer work is in it", async () => {
    for (const task of [first, second]) expect(await aWeekLater(task, [first, second])).toEqual([]);
    const gone = await aWeekLater(first, [first, second], { state: "Merged" });
    expect(gone).toEqual([{ do: "deleteTask" }]);
  });

  it("goes also where its tokens cannot be revoked: that is its finalizer's, which does not try for ever", async () => {
    const { result: _none, ...status } = first.status ?? {};
    expect(await aWeekLater({ ...first, status }, [first], { holdsTokens: true })).toEqual([{ do: "deleteTask" }]);
  });

  it("goes where the repository of its change is gone", async () => {
    expect(await aWeekLater(first, [first], { state: "Gone" })).toEqual([{ do: "deleteTask" }]);
  });

  it("stays for the change that another task opened from the branch", async () => {
    const unopened = ended("unopened", { status: { result: { branch, commit: shaOf("b") } } });
    expect(await aWeekLater(unopened, [unopened, second])).toEqual([]);
    expect(await aWeekLater(unopened, [unopened])).toEqual([{ do: "deleteTask" }]);
  });
});
