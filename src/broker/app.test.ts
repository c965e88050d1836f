import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AgentTaskKind, type AgentTask } from "../api/kinds.ts";
import { tokenReviews } from "../kube/resources.ts";
import { createFakeClient, failure, type FakeClient } from "../kube/testing.ts";
import { routes } from "../sandbox/protocol/channel.ts";
import { FakeClock } from "../shared/fake-clock.ts";
import { silentLogger } from "../shared/log.ts";
import { signCapability, type SigningKeys } from "./capability.ts";
import { aBroker, aGrant, aRunningTask, capability, type BrokerAnswer, type RunningBroker } from "./testing.ts";

let client: FakeClient;
let broker: RunningBroker;
let keys: SigningKeys;
const [oldKey, newKey] = [Buffer.from("the old key"), Buffer.from("the new key")];
const running: RunningBroker[] = [];

beforeEach(async () => {
  client = createFakeClient();
  broker = await start();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
});

async function start(options: Partial<Parameters<typeof aBroker>[0]> = {}): Promise<RunningBroker> {
  const started = await aBroker({ client, ...options });
  running.push(started);
  return started;
}

const leave = (over: Parameters<typeof aRunningTask>[0] = {}): AgentTask =>
  client.seed(AgentTaskKind, aRunningTask(over));
const stored = (): AgentTask => {
  const [task] = client.objects(AgentTaskKind);
  if (!task) throw new Error("no task");
  return task;
};

/** Has the API server say this of every token. */
function review(status: object): void {
  const create = client.create.bind(client);
  client.create = (async (type: { plural: string }, object: object, options: object) =>
    type.plural === tokenReviews.plural
      ? { ...object, status }
      : create(type as never, object as never, options)) as never;
}

const podToken = (over: { name?: string; uid?: string; audiences?: string[] } = {}): object => ({
  authenticated: true,
  audiences: over.audiences ?? ["bellhop-broker"],
  user: {
    username: "system:serviceaccount:team:default",
    extra: {
      "authentication.kubernetes.io/pod-name": [over.name ?? "shop-abc-sandbox-1"],
      "authentication.kubernetes.io/pod-uid": [over.uid ?? "pod-1"],
    },
  },
});

const open = (bearer = "a-pod-bound-token"): Promise<BrokerAnswer> => broker.call("POST", routes.session, { bearer });
const ask = (bearer = capability()): Promise<BrokerAnswer> => broker.call("GET", routes.task, { bearer });

describe("opening a session", () => {
  it("answers a capability for the courier and a lesser one for the agent", async () => {
    leave();
    review(podToken());
    const answer = await open();
    expect(answer.status).toBe(200);
    const { capability: courier, agentCapability: agent } = JSON.parse(answer.text) as Record<string, string>;
    expect(await ask(courier)).toMatchObject({ status: 200, text: '{"stop":false}' });
    expect(await ask(agent)).toMatchObject({ status: 403, code: "CourierOnly" });
  });

  it.each([
    { name: "a token the API server does not know", status: { authenticated: false } },
    { name: "a token for another audience", status: podToken({ audiences: ["https://kubernetes.default.svc"] }) },
    {
      name: "a token that is bound to no pod",
      status: { ...podToken(), user: { username: "system:serviceaccount:team:default" } },
    },
    { name: "a person", status: { ...podToken(), user: { username: "ana" } } },
  ])("refuses $name, and says nothing more", async ({ status }) => {
    leave();
    review(status);
    expect(await open()).toMatchObject({ status: 401, code: "Unauthorized" });
  });

  it("does not even ask about no token", async () => {
    expect(await broker.call("POST", routes.session)).toMatchObject({ status: 401, code: "Unauthorized" });
    expect(client.calls).toEqual([]);
  });

  it.each([
    { name: "no sandbox", pod: { name: "web-1" }, status: 403, code: "NoTask" },
    { name: "a sandbox of no task", pod: { name: "other-sandbox-1" }, status: 403, code: "NoTask" },
    { name: "a namesake of the sandbox", pod: { uid: "pod-9" }, status: 409, code: "Fenced" },
    { name: "a later attempt than was written", pod: { name: "shop-abc-sandbox-2" }, status: 409, code: "Fenced" },
  ])("refuses a pod that is $name", async ({ pod, status, code }) => {
    leave();
    review(podToken(pod));
    expect(await open()).toMatchObject({ status, code });
  });

  it("has a pod wait whose uid the operator has not noted yet", async () => {
    leave({ status: { attempts: [{ number: 1, podName: "shop-abc-sandbox-1" }] } });
    review(podToken());
    expect(await open()).toMatchObject({ status: 503, code: "NotYetKnown" });
  });

  it("says who ended the task", async () => {
    leave({ spec: { cancel: { by: "kim" } } });
    review(podToken());
    const answer = await open();
    expect(answer).toMatchObject({ status: 409, code: "Fenced" });
    expect(answer.message).toContain("the task was cancelled by kim");
  });

  it("has everybody try again while the API server is away", async () => {
    client.before = () => {
      throw failure(0, "Unreachable");
    };
    expect(await open()).toMatchObject({ status: 503, code: "ApiServerUnavailable", headers: { "retry-after": "1" } });
  });
});

describe("a capability", () => {
  it("goes on over a rotation of the keys, and no longer", async () => {
    leave();
    const given = signCapability(aGrant(), [oldKey]);
    const rotating = await start({ keys: () => keys });
    const status = async (): Promise<number> => (await rotating.call("GET", routes.task, { bearer: given })).status;
    keys = [oldKey];
    expect(await status()).toBe(200);
    keys = [newKey, oldKey];
    expect(await status()).toBe(200);
    keys = [newKey];
    expect(await status()).toBe(401);
  });

  it("is used from where it was given alone", async () => {
    leave();
    const answer = await ask(capability({ peer: "10.0.0.7" }));
    expect(answer).toMatchObject({ status: 403, code: "WrongAddress" });
    expect(answer.message).toBe("this capability was given to 10.0.0.7 and is used from 127.0.0.1");
  });

  it("believes no header about where it is used from", async () => {
    leave();
    const headers = { "x-forwarded-for": "10.0.0.7", forwarded: "for=10.0.0.7" };
    const answer = await broker.call("GET", routes.task, { bearer: capability({ peer: "10.0.0.7" }), headers });
    expect(answer.code).toBe("WrongAddress");
  });
});

describe("two sandboxes behind one address", () => {
  const other = { task: "shop-xyz", taskUID: "uid-shop-xyz", podUID: "pod-2" };
  const leaveOther = (status: AgentTask["status"] = {}): void => {
    const task = aRunningTask({
      status: { attempts: [{ number: 1, podName: "shop-xyz-sandbox-1", podUID: "pod-2" }], ...status },
    });
    client.seed(AgentTaskKind, { ...task, metadata: { ...task.metadata, name: "shop-xyz", uid: "uid-shop-xyz" } });
  };

  it("are both refused", async () => {
    leave();
    leaveOther();
    expect((await ask()).status).toBe(200);
    expect(await ask(capability(other))).toMatchObject({ status: 403, code: "SourceAddressHidden" });
    expect(await ask()).toMatchObject({ status: 403, code: "SourceAddressHidden" });
  });

  it("are one and its successor where the first has ended: clusters give addresses again", async () => {
    leave();
    leaveOther();
    expect((await ask()).status).toBe(200);
    leave({ status: { completionTime: "2026-01-01T00:00:00Z" } });
    expect((await ask(capability(other))).status).toBe(200);
  });

  it("are told apart again when one has been silent for two minutes", async () => {
    leave();
    leaveOther();
    const clock = new FakeClock(new Date());
    const timed = await start({ clock });
    const status = async (bearer: string): Promise<number> => (await timed.call("GET", routes.task, { bearer })).status;
    expect(await status(capability())).toBe(200);
    await clock.advance(119_000);
    expect(await status(capability(other))).toBe(403);
    await clock.advance(2_000);
    expect(await status(capability(other))).toBe(200);
  });

  it("are as they are on the process node, where all share one", async () => {
    leave();
    leaveOther();
    const shared = await start({ shared: true });
    for (const bearer of [capability(), capability(other)]) {
      expect((await shared.call("GET", routes.task, { bearer })).status).toBe(200);
    }
  });
});

describe("events", () => {
  const progress = (text: string): object => ({ type: "progress", text });
  const send = (sequence: number, events: object[], bearer = capability()): Promise<BrokerAnswer> =>
    broker.call("POST", routes.events, { bearer, body: { sequence, events } });

  it("become progress and summary, each batch once", async () => {
    leave();
    const checklist = [{ text: "read", done: true }];
    expect((await send(0, [{ type: "progress", text: "reading", checklist }])).status).toBe(204);
    await send(1, [progress("fixing"), { type: "result", summary: "Fixed." }]);
    await send(0, [progress("reading again")]);
    expect(stored().status).toMatchObject({
      progress: { step: "fixing", checklist, events: 3, attempt: 1 },
      result: { summary: "Fixed." },
    });
  });

  it("of a new attempt count anew, without the words of the one before", async () => {
    const attempts = [
      { number: 1, podName: "p1", podUID: "pod-1", reason: "NodeLost" },
      { number: 2, podName: "p2", podUID: "pod-2" },
    ];
    const before = { updatedAt: "2026-01-01T00:00:00Z", attempt: 1, events: 40, step: "before", checklist: [] };
    leave({ status: { attempts, progress: before } });
    const bearer = capability({ attempt: 2, podUID: "pod-2" });
    expect((await send(0, [{ type: "message", text: "hello" }], bearer)).status).toBe(204);
    expect(stored().status?.progress).toEqual({ attempt: 2, events: 1, updatedAt: expect.any(String) as string });
  });

  it("have the agent's messages logged, each once, as soon as the batch is taken", async () => {
    leave();
    const said: [object, string][] = [];
    const log = { ...silentLogger, info: (fields: object, message: string) => void said.push([fields, message]) };
    const talking = await start({ log });
    const tell = (sequence: number, ...texts: string[]): Promise<BrokerAnswer> =>
      talking.call("POST", routes.events, {
        bearer: capability(),
        body: { sequence, events: texts.map((text) => ({ type: "message", text })) },
      });
    client.before = ({ verb }) => {
      if (verb === "mergePatch") throw failure(409, "Conflict");
    };
    await tell(0, "one");
    client.before = () => undefined;
    for (const texts of [["one"], ["one"], ["one", "two"]]) expect((await tell(0, ...texts)).status).toBe(204);
    const who = { namespace: "team", task: "shop-abc", attempt: 1 };
    expect(said.filter(([, message]) => message === "the agent says").map(([fields]) => fields)).toEqual([
      { ...who, text: "one" },
      { ...who, text: "two" },
    ]);
  });

  it("are refused where the attempt is over", async () => {
    leave({ status: { completionTime: "2026-01-01T00:00:00Z" } });
    expect(await send(0, [progress("still here")])).toMatchObject({ status: 409, code: "Fenced" });
    expect(stored().status?.progress).toBeUndefined();
  });

  it("are refused with what is wrong about them", async () => {
    leave();
    const answer = await send(0, [{ type: "progress", text: "x".repeat(513) }]);
    expect(answer).toMatchObject({ status: 400, code: "Malformed" });
    expect(answer.message).toMatch(/^events\.0\.text: /);
  });

  it("are sent again where the task changed at the same moment", async () => {
    leave();
    client.before = ({ verb }) => {
      if (verb === "mergePatch") throw failure(409, "Conflict");
    };
    expect(await send(0, [progress("reading")])).toMatchObject({ status: 503, code: "Conflict" });
  });

  it("are not even read from a stranger, nor beyond 1.5 MB", async () => {
    leave();
    const large = { sequence: 0, events: [{ type: "message", text: "x".repeat(1_600_000) }] };
    expect(await broker.call("POST", routes.events, { bearer: "forged", body: large })).toMatchObject({ status: 401 });
    const known = await broker.call("POST", routes.events, { bearer: capability(), body: large });
    expect(known).toMatchObject({ status: 413, code: "Malformed" });
  });
});

describe("a proposal", () => {
  const [a, b] = ["a".repeat(40), "b".repeat(40)];
  const wanted = { attempt: 1, ref: "refs/heads/bellhop/1", newId: a, files: 2, patchKiB: 1, summary: "Fixed." };
  const propose = (body: object, over = {}): Promise<BrokerAnswer> =>
    broker.call("POST", routes.proposal, { bearer: capability(over), body });

  it("is stored for the operator, whole: nothing of one before shines through", async () => {
    leave({
      status: {
        result: {
          proposed: {
            attempt: 1,
            ref: "refs/heads/x",
            oldId: b,
            newId: b,
            files: 1,
            patchKiB: 1,
            protectedPaths: ["p"],
          },
        },
      },
    });
    expect((await propose(wanted)).status).toBe(204);
    const { summary, ...proposed } = wanted;
    expect(stored().status?.result).toEqual({ proposed, summary });
  });

  it("is refused of another attempt than the one that brings it", async () => {
    leave();
    expect(await propose({ ...wanted, attempt: 2 })).toMatchObject({ status: 409, code: "Fenced" });
  });

  it("is refused from an agent", async () => {
    leave();
    expect(await propose(wanted, { scope: "agent" })).toMatchObject({ status: 403, code: "CourierOnly" });
  });

  it("is written under the version that the fence was read from", async () => {
    const { metadata } = leave();
    await propose(wanted);
    const patch = client.calls.find(({ verb }) => verb === "mergePatch");
    expect(patch?.body).toMatchObject({ metadata: { resourceVersion: metadata.resourceVersion } });
  });
});

describe("what a courier is told of its task", () => {
  const publish = { ref: "refs/heads/bellhop/1", newId: "a".repeat(40) };
  const ended = (reason: string): NonNullable<AgentTask["status"]> => ({
    completionTime: "2026-01-01T00:00:00Z",
    conditions: [
      { type: "Succeeded", status: "False", reason, message: "Because.", lastTransitionTime: "2026-01-01T00:00:00Z" },
    ],
  });

  it.each([
    { name: "the push it may do", status: { publish }, want: { stop: false, publish } },
    { name: "to stop when the task is over", status: ended("WallClockExceeded"), want: { stop: true } },
    ...["OutputRefused", "PublishRefused", "BranchMoved", "BranchGone"].map((reason) => ({
      name: `that its output was refused (${reason})`,
      status: ended(reason),
      want: { stop: false, refused: { reason, message: "Because." } },
    })),
  ])("is $name", async ({ status, want }) => {
    leave({ status });
    expect(JSON.parse((await ask()).text)).toEqual(want);
  });

  it("is to stop when the task is gone, or another has its name", async () => {
    expect((await ask()).text).toBe('{"stop":true}');
    leave({ status: ended("OutputRefused") });
    expect((await ask(capability({ taskUID: "uid-of-the-one-before" }))).text).toBe('{"stop":true}');
  });
});

describe("the routes", () => {
  it.each([
    ["GET", "/"],
    ["GET", "/V1/task"],
    ["GET", "/v1/task/"],
    ["GET", "/v1/session"],
    ["POST", "/v1/task"],
    ["GET", "/v1/../v1/session"],
    ["GET", "/git/1/info/refs/"],
    ["POST", "/git/1/git-upload-archive"],
  ] as const)("do not know %s %s", async (method, path) => {
    expect(await broker.call(method, path, { bearer: capability() })).toMatchObject({ status: 404, code: "NoRoute" });
  });

  it("know no other methods", async () => {
    leave();
    for (const method of ["HEAD", "DELETE"] as const) {
      expect((await broker.call(method, routes.task, { bearer: capability() })).status).toBe(405);
    }
  });

  it("tell nobody what went wrong inside", async () => {
    leave();
    client.before = () => {
      throw new TypeError("cannot read the secret of the day");
    };
    const answer = await ask();
    expect(answer).toMatchObject({ status: 500, code: "Internal" });
    expect(answer.text).not.toContain("secret of the day");
  });
});
