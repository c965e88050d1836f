import { describe, expect, it } from "vitest";
import type { AgentTask } from "../../../api/kinds.ts";
import { defined } from "../../../shared/defined.ts";
import { decideAuthorisation } from "../authorise-rules.ts";
import { ownWorkOnly } from "../state.ts";
import { aTask, aThreadTask, anIntegration, facts, noon, shop, type TaskOverrides } from "../testing.ts";
import { ana, at, bob } from "./testing.ts";
import { decideCommand } from "./decide.ts";

const slash = {
  instance: "T1",
  channel: "C1",
  signal: { type: "SlashCommand" },
  object: { type: "Command", id: "1.2.a" },
} as const;
const eve = { id: "U503", login: "eve" };
const people = [
  { id: "U501", codeHost: { id: "501", login: "ana-dev" } },
  { id: "W501", codeHost: { id: "501", login: "ana-dev" } },
];
const ended = { type: "Succeeded", reason: "NoChanges" } as const;

/** Work that ana asked for in the channel. */
const work = (name: string, minute: number, { source, ...over }: TaskOverrides = {}): AgentTask =>
  aThreadTask({
    name,
    createdAt: at(minute),
    conditions: ["Authorized"],
    ...over,
    source: { channel: "C1", ...source },
    spec: { conversation: `T1/C1/${name}`, ...over.spec },
    status: { repository: shop, ...over.status },
  });
const finished = (name: string, minute: number, completionTime = at(minute + 1)): AgentTask =>
  work(name, minute, { conditions: ["Authorized", ended], status: { completionTime } });

interface Given {
  by?: { id: string; login: string };
  argument?: string;
  onlyOwn?: boolean;
  name?: string;
  source?: TaskOverrides["source"];
}

function asked(
  command: "status" | "stop",
  { by = ana, argument, onlyOwn = false, name = "slash", source }: Given = {},
): AgentTask {
  return aThreadTask({
    name,
    createdAt: at(30),
    actor: by,
    conditions: [onlyOwn ? { type: "Authorized", reason: ownWorkOnly } : "Authorized"],
    source: { ...slash, ...source },
    spec: { command, conversation: `T1/C1/slash/${name}`, ...defined({ commandArgument: argument }) },
  });
}

function factsOf(task: AgentTask, others: AgentTask[]) {
  const plain = anIntegration();
  const integration = { ...plain, spec: { ...plain.spec, access: { ...plain.spec.access, people } } };
  return facts({ task, tasks: [task, ...others], integration });
}

function say(command: "status" | "stop", others: AgentTask[], given: Given = {}) {
  const { conditions, fields, actions } = decideCommand(
    factsOf(asked(command, given), others),
    { profile: undefined },
    noon,
  );
  const targets = (actions ?? []).flatMap((action) => (action.do === "stop" ? action.targets : []));
  return { reason: conditions?.[0]?.reason, message: conditions?.[0]?.message, listed: fields?.listed, targets };
}

describe("status as a slash command", () => {
  it("lists the unfinished requests of the channel and those that ended within a day, each group from the newest", () => {
    const old = finished("old", 1, "2026-02-28T11:00:00Z");
    const answer = say("status", [finished("done", 2), work("first", 3), work("second", 4), old]);
    expect(answer.listed).toEqual(["second", "first", "done"]);
    expect(answer.message).toBe("Unfinished requests of this channel: 2. Ended within the last 24 hours: 1.");
  });

  it("shows requests of others only if their reports are in the channel", () => {
    const others = [
      work("elsewhere", 1, { source: { channel: "C2" } }),
      work("team", 2, { source: { instance: "T2" } }),
      work("strict", 3, { spec: { integrationRef: { kind: "SlackApp", name: "strict" } } }),
      work("refused", 4, { conditions: [{ type: "Authorized", status: "False" }] }),
      work("unheard", 5, { conditions: [] }),
      work("namespace", 6, { namespace: "other" }),
      work("here", 7),
    ];
    expect(say("status", others, { by: bob }).listed).toEqual(["here"]);
  });

  it("shows the person their own request also before it is authorised", () => {
    expect(say("status", [work("mine", 1, { conditions: [] })]).listed).toEqual(["mine"]);
  });

  const comment = (by: { id: string; login: string }): AgentTask =>
    aTask({
      name: "comment",
      createdAt: at(5),
      actor: by,
      conditions: ["Authorized"],
      source: { instance: "github.com" },
      status: { conversation: "T1/C1/asked", conversationInstance: "T1 SlackApp/chat" },
    });

  it("shows follow-ups at the code host only to the person whose account asked for them", () => {
    const all = [work("asked", 1), comment({ id: "501", login: "ana-dev" })];
    expect(say("status", all).listed).toEqual(["comment", "asked"]);
    expect(say("status", all, { by: { id: "W501", login: "ana" } }).listed).toEqual(["comment", "asked"]);
    expect(say("status", all, { by: bob }).listed).toEqual(["asked"]);
  });

  it("does not count commands, and a task from kubectl that names the channel", () => {
    const command = work("command", 1, { spec: { command: "retry" } });
    const forged = work("forged", 2, { source: { provider: "kubernetes" } });
    expect(say("status", [command, forged])).toMatchObject({ reason: "Status", listed: undefined });
  });

  it("has at most 20 unfinished requests and 5 that ended", () => {
    const many = Array.from({ length: 25 }, (_, i) => [work(`open-${i}`, 1), finished(`done-${i}`, 2)]).flat();
    expect(say("status", many).listed).toHaveLength(25);
  });
});

describe("stop as a slash command", () => {
  it("stops the only unfinished request of the person, and nobody else's", () => {
    const all = [work("mine", 1), work("his", 2, { actor: bob }), finished("done", 3)];
    expect(say("stop", all).targets).toEqual(["mine"]);
    expect(say("stop", all, { by: bob }).targets).toEqual(["his"]);
  });

  it("says so if there is none, and stops nothing", () => {
    expect(say("stop", [work("his", 1, { actor: bob })])).toMatchObject({ reason: "NothingToStop", targets: [] });
  });

  it("lists several, and says how to choose", () => {
    const answer = say("stop", [work("first", 1), work("second", 2)]);
    expect(answer).toMatchObject({ reason: "SeveralRequests", listed: ["second", "first"], targets: [] });
    expect(answer.message).toMatch(/number or name after `stop`/);
    expect(say("stop", [work("first", 1), work("second", 2)], { argument: "all" }).targets).toEqual([
      "second",
      "first",
    ]);
  });

  it("takes a number of the list that the person saw last, even if requests ended or began since", () => {
    const earlier = asked("status", { name: "earlier" });
    const list = { ...earlier, status: { ...earlier.status, listed: ["b", "a"] } };
    list.spec.source = { ...list.spec.source, receivedAt: at(20) };
    const all = [list, work("a", 1), work("b", 2), work("c", 25)];
    expect(say("stop", all, { argument: "2" }).targets).toEqual(["a"]);
    expect(say("stop", all, { argument: "3" })).toMatchObject({ reason: "UnknownRequest", targets: [] });
    expect(say("stop", all, { argument: "1", by: bob }).reason).toBe("UnknownRequest");
  });

  it("takes the name of a request of the channel, as its button does", () => {
    const all = [
      work("his", 1, { actor: bob }),
      work("elsewhere", 2, { source: { channel: "C2" } }),
      finished("done", 3),
    ];
    expect(say("stop", all, { argument: "his" }).targets).toEqual(["his"]);
    expect(say("stop", all, { argument: "his", onlyOwn: true })).toMatchObject({
      reason: "UnknownRequest",
      targets: [],
    });
    expect(say("stop", all, { argument: "elsewhere" })).toMatchObject({ reason: "UnknownRequest", targets: [] });
    expect(say("stop", all, { argument: "done" }).reason).toBe("NothingToStop");
  });
});

describe("the authorisation of stop as a slash command", () => {
  const found = {
    found: true,
    actor: { id: "", login: "", isBot: false },
    text: undefined,
    subjectKey: "C1/100.1",
    editedAfter: false,
    private: false,
  } as const;
  const may = (by: { id: string; login: string }, command: "stop" | "status" = "stop") => {
    const task = { ...asked(command, { by }), status: {} };
    const given = { ...factsOf(task, [work("mine", 1)]), codeHostIntegration: anIntegration() };
    if (given.integration) given.integration.spec.codeHostRef = { kind: "GitHubIntegration", name: "shop" };
    const grant = { allowed: false, isBot: false, login: by.login, has: "the role guest", needs: "membership" };
    return decideAuthorisation(given, { reread: found, grant }).conditions?.[0];
  };

  it("lets a person stop their own request although they may not ask for work any more", () => {
    expect(may(ana)).toMatchObject({ status: "True", reason: ownWorkOnly });
    expect(may(eve)).toMatchObject({ status: "False", reason: "NotAuthorized" });
    expect(may(ana, "status")).toMatchObject({ status: "False", reason: "NotAuthorized" });
  });
});
