import { describe, expect, it } from "vitest";
import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import type { Connection } from "../../integrations/connection.ts";
import { ProviderError } from "../../integrations/errors.ts";
import { aChange, aConnection, fakeHost } from "../../integrations/testing.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { aSandboxProvider } from "../../sandbox/testing.ts";
import { BellhopError } from "../../shared/errors.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { cleanup, type CleanupAction } from "./cleanup.ts";
import { defaultConfig } from "./config.ts";
import { patchedStatus } from "./status.ts";
import { aTask, facts, noon, shaOf, stepContext, taskCredentials, taskDeps, type TaskOverrides } from "./testing.ts";

const { retention } = defaultConfig;
const dayMs = 24 * 60 * 60_000;
const due = new Date(noon.getTime() + retention.taskMs);
const branch = "bellhop/42-fix";

function ended(name: string, over: TaskOverrides = {}): AgentTask {
  const result = { branch, commit: shaOf("c"), changeNumber: 57 };
  const status = { completionTime: noon.toISOString(), result, ...over.status };
  return aTask({ name, conditions: ["Authorized", "Succeeded"], source: { cause: name }, ...over, status });
}

/** The actions for a task a week after its end, with the change as given. */
async function aWeekLater(
  task: AgentTask,
  tasks: AgentTask[],
  { state = "Open", holdsTokens = false }: { state?: "Open" | "Merged" | "Gone"; holdsTokens?: boolean } = {},
): Promise<readonly CleanupAction[] | undefined> {
  const { host } = fakeHost({ changes: state === "Gone" ? [] : [aChange({ number: 57, state })] });
  if (state === "Gone") host.change = () => Promise.reject(new ProviderError("NotFound", "404"));
  const given = facts({ task, tasks });
  const credentials = taskCredentials({ holds: () => holdsTokens });
  const context = stepContext({
    deps: taskDeps({ credentials, clock: new FakeClock(due) }),
    facts: given,
    connection: async () => aConnection({ codeHost: host }),
  });
  const reading = await cleanup.gather(context);
  return cleanup.decide(given, reading, due).actions;
}

const outcome = { version: 1, attempt: 1, reason: "NoChanges", message: "" } as const;

/** One reconcile of an expired task, some days later, with an integration that signs in as given; answers the task and the actions that ran. */
async function look(task: AgentTask, days: number, connect: () => Promise<Connection>) {
  const now = new Date(due.getTime() + days * dayMs);
  const done: string[] = [];
  const given = facts({ task });
  const kube = createFakeClient();
  kube.seed(AgentTaskKind, task);
  kube.after = ({ verb }) => done.push(`${verb}Task`);
  const deps = taskDeps({
    sandbox: aSandboxProvider({
      observe: () => ({ state: "Finished", podUID: "pod-1", outcome }),
      remove: async () => void done.push("removePod"),
      harvested: async () => void done.push("harvest"),
    }),
    clock: new FakeClock(now),
    kube,
    events: { normal: () => {}, warning: (_task, reason) => void done.push(reason) },
  });
  const context = stepContext({ deps, facts: given, connection: connect });
  const decision = cleanup.decide(given, await cleanup.gather(context), now);
  for (const action of decision.actions ?? []) await cleanup.apply(context, action);
  return { task: { ...task, status: patchedStatus(task, decision, now) }, done, waitMs: decision.requeueAfterMs ?? 0 };
}

describe("a task whose change cannot be read at the code host", () => {
  const first = ended("first", {
    status: {
      completionTime: noon.toISOString(),
      result: { branch, commit: shaOf("c"), changeNumber: 57 },
      attempts: [{ number: 1, podName: "p-1" }],
    },
  });
  const refusing = (error: Error) => async (): Promise<never> => {
    throw error;
  };
  const open = async () => aConnection({ codeHost: fakeHost({ changes: [aChange({ number: 57 })] }).host });
  const suspended = async () => {
    const { host } = fakeHost();
    return aConnection({ codeHost: { ...host, change: refusing(new ProviderError("Suspended", "suspended")) } });
  };

  it.each([
    { name: "whose Secret was deleted", connect: refusing(new BellhopError("SecretNotFound", "Secret bot is gone")) },
    { name: "whose App was deleted", connect: refusing(new ProviderError("NotFound", "404")) },
    { name: "whose App is suspended", connect: suspended },
    { name: "whose code host never answers again", connect: refusing(new ProviderError("Unavailable", "ENOTFOUND")) },
  ])(
    "of an integration $name loses its pods, stays a month, and is then deleted with a warning",
    async ({ connect }) => {
      const atFirst = await look(first, 0, connect);
      expect(atFirst).toMatchObject({ done: ["removePod", "harvest"], waitMs: 6 * 60 * 60_000 });
      const later = await look(atFirst.task, 29.9, connect);
      expect(later.done).toEqual(["removePod", "harvest"]);
      const atLast = await look(later.task, 30, connect);
      expect(atLast.done).toEqual(["removePod", "harvest", "ChangeUnknown", "deleteTask"]);
    },
  );

  it("gets the whole month again once the code host has shown the change as open, however old the task is", async () => {
    const away = refusing(new ProviderError("Unauthorized", "401"));
    let { task } = await look(first, 40, away);
    ({ task } = await look(task, 60, open));
    expect(task.status?.changeUnknownSince).toBeUndefined();
    ({ task } = await look(task, 80, away));
    expect((await look(task, 109.9, away)).done).not.toContain("deleteTask");
    expect((await look(task, 110, away)).done).toContain("deleteTask");
  });

  it("is not changed by an operator that shuts down", async () => {
    await expect(look(first, 0, refusing(new Error("aborted")))).rejects.toThrow("aborted");
  });
});

describe("a task whose retention time has passed", () => {
  const first = ended("first", { createdAt: "2026-03-01T11:01:00Z" });
  const second = ended("second", { createdAt: "2026-03-01T11:02:00Z" });

  it("stays while its work is in an open change, even if newer work is in it as well", async () => {
    for (const task of [first, second]) expect(await aWeekLater(task, [first, second])).toEqual([]);
    const gone = await aWeekLater(first, [first, second], { state: "Merged" });
    expect(gone).toEqual([{ do: "deleteTask" }]);
  });

  it("is deleted even if its tokens cannot be revoked: its finalizer retries that for a limited time", async () => {
    const { result: _none, ...status } = first.status ?? {};
    expect(await aWeekLater({ ...first, status }, [first], { holdsTokens: true })).toEqual([{ do: "deleteTask" }]);
  });

  it("is deleted if the repository of its change is gone", async () => {
    expect(await aWeekLater(first, [first], { state: "Gone" })).toEqual([{ do: "deleteTask" }]);
  });

  it("stays while a change that another task opened from its branch is open", async () => {
    const unopened = ended("unopened", { status: { result: { branch, commit: shaOf("b") } } });
    expect(await aWeekLater(unopened, [unopened, second])).toEqual([]);
    expect(await aWeekLater(unopened, [unopened])).toEqual([{ do: "deleteTask" }]);
  });
});
