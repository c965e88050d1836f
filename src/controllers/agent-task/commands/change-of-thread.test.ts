import { describe, expect, it } from "vitest";
import { AgentTaskKind, type AgentTask } from "../../../api/kinds.ts";
import type { AgentTaskSpec } from "../../../api/agent-task.ts";
import type { Permission } from "../../../integrations/code-host.ts";
import { ProviderError } from "../../../integrations/errors.ts";
import { aConnection, fakeHost } from "../../../integrations/testing.ts";
import { createFakeClient } from "../../../kube/testing.ts";
import type { StatusPatch } from "../facts.ts";
import { conversationOf } from "../state.ts";
import {
  anIntegration,
  aTask,
  aThreadTask,
  facts,
  shaOf,
  shop,
  stepContext,
  taskCacheOf,
  taskDeps,
  type TaskOverrides,
} from "../testing.ts";
import { commandStep } from "./index.ts";
import { at } from "./testing.ts";

const thread = { conversation: "C1/100.1", conversationInstance: "T1 SlackApp/chat" };
const branch = "bellhop/fix";
const change = { instance: "github.com", subject: { type: "Change", key: "acme/shop#57", number: 57 } } as const;
const done = ["Authorized", "Approved", { type: "Succeeded", reason: "Published" }] as const;

/** Work that ana requested in a thread of the chat, as U501, and that left a change. */
const asked = (name: string, minute: number, over: TaskOverrides = {}): AgentTask =>
  aThreadTask({
    name,
    createdAt: at(minute),
    conditions: [...done],
    ...over,
    status: { ...thread, repository: shop, result: { commit: shaOf("c"), branch, changeNumber: 57 }, ...over.status },
  });

/** A task from a comment at the code host on that change; it is authorised, so its conversation is resolved. */
const commented = (name: string, minute: number, over: TaskOverrides = {}): AgentTask =>
  aTask({
    name,
    createdAt: at(minute),
    conditions: ["Authorized"],
    ...over,
    source: { ...change, cause: name },
    spec: { conversation: "acme/shop#57", ...over.spec },
    status: { ...thread, ...over.status },
  });

const chat = (people: readonly { id: string; codeHost: { id: string; login: string } }[]) => {
  const plain = anIntegration();
  return { ...plain, kind: "SlackApp", spec: { ...plain.spec, access: { ...plain.spec.access, people: [...people] } } };
};
const mapped = [
  { id: "U501", codeHost: { id: "501", login: "ana-dev" } },
  { id: "U502", codeHost: { id: "502", login: "bob-dev" } },
];

interface Given {
  people?: typeof mapped;
  permission?: Permission;
  /** Whether the repository is private; undefined if it does not exist any more. */
  isPrivate?: boolean | "Gone";
}

/** Carries out a command; returns its end, the requests of each other task afterwards, and the task that it created. */
async function carryOut(
  task: AgentTask,
  others: AgentTask[],
  { people = mapped, permission = "Write", isPrivate = true }: Given = {},
) {
  const kube = createFakeClient();
  for (const one of [task, ...others]) kube.seed(AgentTaskKind, one);
  const tasks = taskCacheOf([task, ...others]);
  const integrationOf = ({ spec }: AgentTask) =>
    spec.integrationRef.kind === "SlackApp" ? chat(people) : anIntegration();
  const { host } = fakeHost({ permissions: { "501": permission, "502": permission } });
  host.releaseChecks = async () => ({ sha: shaOf("d") });
  const read = host.repository;
  host.repository = async (ref, signal) => {
    if (isPrivate === "Gone") throw new ProviderError("NotFound", "404");
    return { ...(await read(ref, signal)), private: isPrivate };
  };
  const context = stepContext({
    deps: taskDeps({ kube, tasks }),
    facts: facts({ task, tasks, integration: integrationOf(task), integrationOf }),
    connection: async () => aConnection({ codeHost: host }),
  });
  const plan = await commandStep.plan(context, () => context);
  const patches = (await Promise.all(plan.actions.map((action) => action()))) as StatusPatch[];
  const end = [plan, ...patches].flatMap(({ conditions }) => conditions ?? []).at(-1);
  const known = new Set([task, ...others].map(({ metadata }) => metadata.name));
  return {
    reason: end?.reason,
    message: end?.message,
    requests: kube
      .objects(AgentTaskKind)
      .flatMap(({ metadata, status }) => (status?.requests ?? []).map(({ type }) => `${type} ${metadata.name}`)),
    created: kube.objects(AgentTaskKind).find(({ metadata }) => !known.has(metadata.name))?.spec,
  };
}

const bob = { id: "502", login: "bob-dev" };
const ana = { id: "501", login: "ana-dev" };

/** Gives a command in a comment at the code host. */
function comment(command: AgentTaskSpec["command"], by = bob, over: TaskOverrides = {}): AgentTask {
  const argument = command === "approve" ? { commandArgument: "ccccccc" } : {};
  return commented("command", 30, { actor: by, ...over, spec: { ...(command ? { command } : {}), ...argument } });
}

/** Gives a command in the thread of the chat. */
function message(command: NonNullable<AgentTaskSpec["command"]>, id: string): AgentTask {
  const argument = command === "approve" ? { commandArgument: "ccccccc" } : {};
  const actor = { id, login: "somebody" };
  return aThreadTask({
    name: "command",
    createdAt: at(30),
    actor,
    conditions: ["Authorized"],
    spec: { command, ...argument },
  });
}

describe("approve with a commit, at the change that was requested in a chat", () => {
  it("approves the commit that the work of the thread left", async () => {
    expect(await carryOut(comment("approve"), [asked("work", 1)])).toMatchObject({
      reason: "Approved",
      requests: ["approve work"],
    });
  });

  it("is refused from the requester's own account at the code host", async () => {
    const answer = await carryOut(comment("approve", ana), [asked("work", 1)]);
    expect(answer).toMatchObject({ reason: "RequesterMayNotApprove", requests: [] });
  });

  it("is refused from a requester in the chat whose follow-up at the code host is in the commit", async () => {
    const followUp = commented("follows", 2, {
      actor: bob,
      conditions: [...done],
      status: { result: { commit: shaOf("c"), branch } },
    });
    const others = [asked("work", 1, { actor: { id: "U7", login: "eve" } }), followUp];
    expect((await carryOut(message("approve", "U502"), others)).reason).toBe("RequesterMayNotApprove");
    expect((await carryOut(message("approve", "U501"), others)).reason).toBe("Approved");
  });

  it("is accepted from anybody with write access if no account of the requester is known: nothing shows that they are the same", async () => {
    expect((await carryOut(comment("approve", ana), [asked("work", 1)], { people: [] })).reason).toBe("Approved");
  });

  it("needs write access, also from the chat for work that was requested at the code host", async () => {
    const low = { permission: "Read" } as const;
    expect((await carryOut(comment("approve"), [asked("work", 1)], low)).reason).toBe("NotAuthorized");
    const followUp = commented("follows", 2, {
      actor: ana,
      conditions: [...done],
      status: { result: { commit: shaOf("c"), branch } },
    });
    expect((await carryOut(message("approve", "U502"), [asked("work", 1), followUp], low)).reason).toBe(
      "NotAuthorized",
    );
  });

  it("finds nothing in a conversation of that name in another workspace", async () => {
    const elsewhere = asked("work", 1, { status: { conversationInstance: "T2" } });
    expect((await carryOut(comment("approve"), [elsewhere])).reason).toBe("NothingToApprove");
  });
});

describe("approve without a commit, at the change that was requested in a chat", () => {
  it("lets no private request run: only its thread says what would become public", async () => {
    const waits = asked("waits", 2, {
      conditions: ["Authorized", { type: "Approved", status: "Unknown", reason: "WaitingForApproval" }],
      status: { result: {} },
    });
    const bare = commented("command", 30, { actor: bob, spec: { command: "approve" } });
    expect((await carryOut(bare, [asked("work", 1), waits])).requests).toEqual([]);
  });
});

describe("stop, at the change that was requested in a chat", () => {
  const running = (name: string, minute: number, over: TaskOverrides = {}): AgentTask =>
    asked(name, minute, { conditions: ["Authorized", "Approved", "Admitted"], ...over });

  it("stops the run of the thread in this repository, and none in another", async () => {
    const elsewhere = running("elsewhere", 2, { status: { repository: { ...shop, id: "7", name: "site" } } });
    expect((await carryOut(comment("stop"), [running("work", 1), elsewhere])).requests).toEqual(["stop work"]);
  });

  it("stops only their own work for a person without write access, by their account at the code host", async () => {
    const own = { conditions: [{ type: "Authorized", reason: "OwnWork" }] };
    const stop = (by: typeof ana, people = mapped) =>
      carryOut(comment("stop", by, own), [running("work", 1)], { people });
    expect((await stop(ana)).requests).toEqual(["stop work"]);
    expect((await stop(bob)).requests).toEqual([]);
    expect((await stop(ana, [])).requests).toEqual([]);
  });

  it("in the chat, also stops a follow-up that was requested at the code host, authorised or not yet", async () => {
    const work = asked("work", 1);
    const waiting = commented("authorised", 2);
    const fresh = commented("fresh", 3, { conditions: [] });
    delete fresh.status?.conversation;
    delete fresh.status?.conversationInstance;
    expect((await carryOut(message("stop", "U501"), [work, waiting, fresh])).requests.toSorted()).toEqual([
      "stop authorised",
      "stop fresh",
    ]);
  });
});

describe("retry across a thread and its change", () => {
  it("at the code host repeats the work there: with its own repository and no other code host", async () => {
    const { created } = await carryOut(comment("retry"), [asked("work", 1)]);
    expect(created).toMatchObject({
      integrationRef: { kind: "GitHubIntegration" },
      repository: { id: shop.id },
      conversation: "acme/shop#57",
      retryOf: { name: "work" },
    });
    expect(created?.codeHostRef).toBeUndefined();
  });

  it("in the chat does not repeat a comment of the code host, which fewer people may read", async () => {
    const followUp = commented("follows", 2, { conditions: [...done] });
    const answer = await carryOut(message("retry", "U501"), [asked("work", 1), followUp]);
    expect(answer).toMatchObject({ reason: "OtherThread", created: undefined });
  });

  it.each(["retry", "continue"] as const)(
    "at the code host repeats a request of a private channel only while its repository is private: %s",
    async (command) => {
      const conditions = [
        "Authorized",
        { type: "Approved", reason: "RepositoryPrivate" },
        { type: "Succeeded", reason: "Published" },
      ] as const;
      const work = [asked("work", 1, { conditions: [...conditions] })];
      expect(await carryOut(comment(command), work)).toMatchObject({ reason: "Retried", created: {} });
      for (const isPrivate of [false, "Gone"] as const) {
        const answer = await carryOut(comment(command), work, { isPrivate });
        expect(answer).toMatchObject({ reason: "NotApproved", created: undefined });
      }
      const inPublic = [
        asked("work", 1, { conditions: ["Authorized", { type: "Approved", reason: "NotNeeded" }, conditions[2]] }),
      ];
      expect(await carryOut(comment(command), inPublic, { isPrivate: false })).toMatchObject({ reason: "Retried" });
    },
  );

  it("repeats nothing at the code host that nobody approved to become public", async () => {
    const withdrawn = asked("private", 2, {
      conditions: ["Authorized", { type: "Succeeded", status: "False", reason: "NoApproval" }],
      status: { result: {} },
    });
    const others = [asked("work", 1), withdrawn];
    expect(await carryOut(comment("retry"), others)).toMatchObject({ reason: "NotApproved", created: undefined });
    expect((await carryOut(message("retry", "U501"), others)).reason).toBe("Retried");
  });
});

describe("the conversation of a task", () => {
  it("takes place where the task was requested, if a stored task names no instance", () => {
    const stored = aTask({ status: { conversation: "acme/shop#42" } });
    expect(conversationOf(stored)).toEqual({ instance: "github.com", name: "9001#42" });
    expect(conversationOf(asked("work", 1))).toEqual({ instance: "T1 SlackApp/chat", name: "C1/100.1" });
  });
});
