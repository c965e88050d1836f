import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AgentTaskKind, type AgentTask } from "../api/kinds.ts";
import { tokenReviews } from "../kube/resources.ts";
import { failure } from "../kube/memory/testing.ts";
import { createFakeClient, type FakeClient } from "../kube/testing.ts";
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

const seedTask = (over: Parameters<typeof aRunningTask>[0] = {}): AgentTask =>
  client.seed(AgentTaskKind, aRunningTask(over));
const stored = (): AgentTask => client.only(AgentTaskKind);

/** Makes the API server return this status for every TokenReview. */
function review(status: object): void {
  client.review(tokenReviews, (draft) => ({ ...draft, status }));
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
  it("returns a capability for the courier and a restricted one for the agent", async () => {
    seedTask();
    review(podToken());
    const answer = await open();
    expect(answer.status).toBe(200);
    const { capability: courier, agentCapability: agent } = JSON.parse(answer.text) as Record<string, string>;
    expect(await ask(courier)).toMatchObject({ status: 200, text: '{"stop":false}' });
    expect(await ask(agent)).toMatchObject({ status: 403, code: "CourierOnly" });
  });

  it.each([
    { name: "a token that the API server does not know", status: { authenticated: false } },
    { name: "a token for another audience", status: podToken({ audiences: ["https://kubernetes.default.svc"] }) },
    {
      name: "a token that is not bound to a pod",
      status: { ...podToken(), user: { username: "system:serviceaccount:team:default" } },
    },
    { name: "a person", status: { ...podToken(), user: { username: "ana" } } },
  ])("refuses $name without details", async ({ status }) => {
    seedTask();
    review(status);
    expect(await open()).toMatchObject({ status: 401, code: "Unauthorized" });
  });

  it("does not call the API server without a token", async () => {
    expect(await broker.call("POST", routes.session)).toMatchObject({ status: 401, code: "Unauthorized" });
    expect(client.calls).toEqual([]);
  });

  it.each([
    { name: "not a sandbox", pod: { name: "web-1" }, status: 403, code: "NoTask" },
    { name: "a sandbox without a task", pod: { name: "other-sandbox-1" }, status: 403, code: "NoTask" },
    { name: "another pod with the sandbox's name", pod: { uid: "pod-9" }, status: 409, code: "Fenced" },
    {
      name: "of a later attempt than the recorded one",
      pod: { name: "shop-abc-sandbox-2" },
      status: 409,
      code: "Fenced",
    },
  ])("refuses a pod that is $name", async ({ pod, status, code }) => {
    seedTask();
    review(podToken(pod));
    expect(await open()).toMatchObject({ status, code });
  });

  it("asks a pod to wait if the operator has not recorded its uid yet", async () => {
    seedTask({ status: { attempts: [{ number: 1, podName: "shop-abc-sandbox-1" }] } });
    review(podToken());
    expect(await open()).toMatchObject({ status: 503, code: "NotYetKnown" });
  });

  it("names the person who ended the task", async () => {
    seedTask({ spec: { cancel: { by: "kim" } } });
    review(podToken());
    const answer = await open();
    expect(answer).toMatchObject({ status: 409, code: "Fenced" });
    expect(answer.message).toContain("the task was cancelled by kim");
  });

  it("asks for a retry while the API server is unavailable", async () => {
    client.before = () => {
      throw failure(0, "Unreachable");
    };
    expect(await open()).toMatchObject({ status: 503, code: "ApiServerUnavailable", headers: { "retry-after": "1" } });
  });
});

describe("a capability", () => {
  it("stays valid during one rotation of the keys, and not longer", async () => {
    seedTask();
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

  it("is not accepted before the operator has stored the signing keys", async () => {
    const waiting = await start({ keys: () => undefined });
    const answer = await waiting.call("GET", routes.task, { bearer: capability() });
    expect(answer).toMatchObject({ status: 503, code: "NoKeys" });
  });

  it("is valid only from the address that it was issued to", async () => {
    seedTask();
    const answer = await ask(capability({ peer: "10.0.0.7" }));
    expect(answer).toMatchObject({ status: 403, code: "WrongAddress" });
    expect(answer.message).toBe("this capability was issued to 10.0.0.7 but is used from 127.0.0.1");
  });

  it("ignores headers that claim another address", async () => {
    seedTask();
    const headers = { "x-forwarded-for": "10.0.0.7", forwarded: "for=10.0.0.7" };
    const answer = await broker.call("GET", routes.task, { bearer: capability({ peer: "10.0.0.7" }), headers });
    expect(answer.code).toBe("WrongAddress");
  });
});

describe("two sandboxes behind one address", () => {
  const other = { task: "shop-xyz", taskUID: "uid-shop-xyz", podUID: "pod-2" };
  const seedOtherTask = (status: AgentTask["status"] = {}): void => {
    const task = aRunningTask({
      status: { attempts: [{ number: 1, podName: "shop-xyz-sandbox-1", podUID: "pod-2" }], ...status },
    });
    client.seed(AgentTaskKind, { ...task, metadata: { ...task.metadata, name: "shop-xyz", uid: "uid-shop-xyz" } });
  };

  it("are both refused", async () => {
    seedTask();
    seedOtherTask();
    expect((await ask()).status).toBe(200);
    expect(await ask(capability(other))).toMatchObject({ status: 403, code: "SourceAddressHidden" });
    expect(await ask()).toMatchObject({ status: 403, code: "SourceAddressHidden" });
  });

  it("are accepted if the first has ended, because clusters reuse addresses", async () => {
    seedTask();
    seedOtherTask();
    expect((await ask()).status).toBe(200);
    seedTask({ status: { completionTime: "2026-01-01T00:00:00Z" } });
    expect((await ask(capability(other))).status).toBe(200);
  });

  it("are accepted if one has sent nothing for two minutes", async () => {
    seedTask();
    seedOtherTask();
    const clock = new FakeClock(new Date());
    const timed = await start({ clock });
    const status = async (bearer: string): Promise<number> => (await timed.call("GET", routes.task, { bearer })).status;
    expect(await status(capability())).toBe(200);
    await clock.advance(119_000);
    expect(await status(capability(other))).toBe(403);
    await clock.advance(2_000);
    expect(await status(capability(other))).toBe(200);
  });

  it("are accepted on the process node, where all sandboxes share one address", async () => {
    seedTask();
    seedOtherTask();
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

  it("are recorded as progress and summary, each batch once", async () => {
    seedTask();
    const checklist = [{ text: "read", done: true }];
    expect((await send(0, [{ type: "progress", text: "reading", checklist }])).status).toBe(204);
    await send(1, [progress("fixing"), { type: "result", summary: "Fixed." }]);
    await send(0, [progress("reading again")]);
    expect(stored().status).toMatchObject({
      progress: { step: "fixing", checklist, events: 3, attempt: 1 },
      result: { summary: "Fixed." },
    });
  });

  it("of a new attempt are counted from 0, without the progress of the previous attempt", async () => {
    const attempts = [
      { number: 1, podName: "p1", podUID: "pod-1", reason: "NodeLost" },
      { number: 2, podName: "p2", podUID: "pod-2" },
    ];
    const before = { updatedAt: "2026-01-01T00:00:00Z", attempt: 1, events: 40, step: "before", checklist: [] };
    seedTask({ status: { attempts, progress: before } });
    const bearer = capability({ attempt: 2, podUID: "pod-2" });
    expect((await send(0, [{ type: "message", text: "hello" }], bearer)).status).toBe(204);
    expect(stored().status?.progress).toEqual({ attempt: 2, events: 1, updatedAt: expect.any(String) as string });
  });

  it("log each message of the agent once, after the batch is recorded", async () => {
    seedTask();
    const logged: [object, string][] = [];
    const log = { ...silentLogger, info: (fields: object, message: string) => void logged.push([fields, message]) };
    const logging = await start({ log });
    const sendMessages = (sequence: number, ...texts: string[]): Promise<BrokerAnswer> =>
      logging.call("POST", routes.events, {
        bearer: capability(),
        body: { sequence, events: texts.map((text) => ({ type: "message", text })) },
      });
    client.before = ({ verb }) => {
      if (verb === "mergePatch") throw failure(409, "Conflict");
    };
    await sendMessages(0, "one");
    client.before = () => undefined;
    for (const texts of [["one"], ["one"], ["one", "two"]]) expect((await sendMessages(0, ...texts)).status).toBe(204);
    const origin = { namespace: "team", task: "shop-abc", attempt: 1 };
    expect(logged.filter(([, message]) => message === "the agent says").map(([fields]) => fields)).toEqual([
      { ...origin, text: "one" },
      { ...origin, text: "two" },
    ]);
  });

  it("are refused if the attempt has ended", async () => {
    seedTask({ status: { completionTime: "2026-01-01T00:00:00Z" } });
    expect(await send(0, [progress("still here")])).toMatchObject({ status: 409, code: "Fenced" });
    expect(stored().status?.progress).toBeUndefined();
  });

  it("are refused with the path of the invalid field", async () => {
    seedTask();
    const answer = await send(0, [{ type: "progress", text: "x".repeat(513) }]);
    expect(answer).toMatchObject({ status: 400, code: "Malformed" });
    expect(answer.message).toMatch(/^events\.0\.text: /);
  });

  it("must be sent again if the task changed at the same time", async () => {
    seedTask();
    client.before = ({ verb }) => {
      if (verb === "mergePatch") throw failure(409, "Conflict");
    };
    expect(await send(0, [progress("reading")])).toMatchObject({ status: 503, code: "Conflict" });
  });

  it("are not read from an unauthorized caller, nor beyond 1.5 MB", async () => {
    seedTask();
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

  it("replaces the previous proposal completely", async () => {
    seedTask({
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

  it("is refused if it names another attempt than the capability", async () => {
    seedTask();
    expect(await propose({ ...wanted, attempt: 2 })).toMatchObject({ status: 409, code: "Fenced" });
  });

  it("is refused from an agent", async () => {
    seedTask();
    expect(await propose(wanted, { scope: "agent" })).toMatchObject({ status: 403, code: "CourierOnly" });
  });

  it("is written with the resource version that the fence check has read", async () => {
    const { metadata } = seedTask();
    await propose(wanted);
    const patch = client.calls.find(({ verb }) => verb === "mergePatch");
    expect(patch?.body).toMatchObject({ metadata: { resourceVersion: metadata.resourceVersion } });
  });
});

describe("the task's state for a courier", () => {
  const publish = { ref: "refs/heads/bellhop/1", newId: "a".repeat(40) };
  const ended = (reason: string): NonNullable<AgentTask["status"]> => ({
    completionTime: "2026-01-01T00:00:00Z",
    conditions: [
      { type: "Succeeded", status: "False", reason, message: "Because.", lastTransitionTime: "2026-01-01T00:00:00Z" },
    ],
  });

  it.each([
    { name: "the allowed push", status: { publish }, want: { stop: false, publish } },
    { name: "to stop if the task has ended", status: ended("WallClockExceeded"), want: { stop: true } },
    ...["OutputRefused", "PublishRefused", "BranchMoved", "BranchGone"].map((reason) => ({
      name: `that its output was refused (${reason})`,
      status: ended(reason),
      want: { stop: false, refused: { reason, message: "Because." } },
    })),
  ])("is $name", async ({ status, want }) => {
    seedTask({ status });
    expect(JSON.parse((await ask()).text)).toEqual(want);
  });

  it("is to stop if the task was deleted or recreated under the same name", async () => {
    expect((await ask()).text).toBe('{"stop":true}');
    seedTask({ status: ended("OutputRefused") });
    expect((await ask(capability({ taskUID: "uid-of-the-previous-task" }))).text).toBe('{"stop":true}');
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
  ] as const)("answer 404 to %s %s", async (method, path) => {
    expect(await broker.call(method, path, { bearer: capability() })).toMatchObject({ status: 404, code: "NoRoute" });
  });

  it("accept no other methods", async () => {
    seedTask();
    for (const method of ["HEAD", "DELETE"] as const) {
      expect((await broker.call(method, routes.task, { bearer: capability() })).status).toBe(405);
    }
  });

  it("do not reveal internal errors", async () => {
    seedTask();
    client.before = () => {
      throw new TypeError("cannot read the secret of the day");
    };
    const answer = await ask();
    expect(answer).toMatchObject({ status: 500, code: "Internal" });
    expect(answer.text).not.toContain("secret of the day");
  });
});
