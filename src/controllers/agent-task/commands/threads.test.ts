import { describe, expect, it } from "vitest";
import { commandStep } from "./index.ts";
import type { AgentTask } from "../../../api/kinds.ts";
import { aTask, aThreadTask, facts, shaOf, shop, stepContext } from "../testing.ts";
import { ana, answers, asking, at, bob, branch, give, held, published, waits, type Given } from "./testing.ts";

describe("use", () => {
  const use = (others: AgentTask[], given: Given = {}) => give("use", others, { argument: "acme/site", ...given });

  it("answers the question of the work that asks, also if another person gives it", async () => {
    const { reason, requests } = await use([asking("only", 1)]);
    expect({ reason, requests }).toEqual({
      reason: "RepositoryChosen",
      requests: { only: [["use", "acme/site"]] },
    });
  });

  it("answers no question if several requests ask, because the person may have read another one", async () => {
    const { reason, requests } = await use([asking("older", 1), asking("newer", 2)]);
    expect({ reason, requests }).toEqual({ reason: "SeveralWait", requests: {} });
  });

  it("answers the older question once the newer one has its answer", async () => {
    const newer = asking("newer", 2, {
      conditions: ["Authorized", "RepositoryResolved"],
      status: { repository: shop },
    });
    delete newer.status?.question;
    expect((await use([asking("older", 1), newer])).requests).toEqual({ older: [["use", "acme/site"]] });
  });

  it.each<{ name: string; others: AgentTask[] }>([
    { name: "nothing was asked", others: [published("done", 1)] },
    {
      name: "the work was stopped",
      others: [
        asking("stopped", 1, {
          conditions: ["Authorized", answers, { type: "Succeeded", status: "False", reason: "Cancelled" }],
        }),
      ],
    },
    { name: "the work asks in another thread", others: [asking("elsewhere", 1, { spec: { conversation: "C1/7.7" } })] },
    {
      name: "the work asks in a thread of that name in another workspace",
      others: [asking("elsewhere", 1, { source: { instance: "T2" } })],
    },
    { name: "the work was requested later", others: [asking("later", 40)] },
    {
      name: "the work waits for its code host and not for an answer",
      others: [
        aThreadTask({
          name: "waits",
          createdAt: at(1),
          conditions: ["Authorized", { type: "RepositoryResolved", status: "Unknown", reason: "CodeHostNotFound" }],
        }),
      ],
    },
  ])("is refused if $name", async ({ others }) => {
    expect(await use(others)).toMatchObject({ reason: "NothingAsked", requests: {} });
  });

  it("replaces an earlier answer, so that any number of wrong answers fits into the status", async () => {
    const requests = [{ type: "use" as const, by: "eve", from: "before", argument: "acme/wrong" }];
    expect((await use([asking("asks", 1, { status: { requests } })])).requests).toEqual({
      asks: [["use", "acme/site"]],
    });
  });

  it("is carried out already if the same choice is made again in the menu, which stays visible", async () => {
    const chosen = published("done", 1);
    const again = { over: { spec: { commandTarget: "done" } }, argument: "acme/shop" };
    expect(await use([chosen], again)).toMatchObject({ reason: "RepositoryChosen", requests: {} });
    const other = { over: { spec: { commandTarget: "done" } }, argument: "acme/site" };
    expect(await use([chosen], other)).toMatchObject({ reason: "NothingAsked", requests: {} });
  });

  it("can still be given while the code host does not answer", async () => {
    const unavailable = { type: "RepositoryResolved", status: "Unknown", reason: "Unavailable" } as const;
    const { reason } = await use([asking("asks", 1, { conditions: ["Authorized", unavailable] })]);
    expect(reason).toBe("RepositoryChosen");
  });
});

describe("approve without a commit", () => {
  it("lets work run if somebody else with write access gives it", async () => {
    expect(await give("approve", [held("asks", 1)])).toMatchObject({
      reason: "RunApproved",
      requests: { asks: [["approve", undefined]] },
    });
  });

  it.each<{ name: string; given: Given; reason: string; message: RegExp }>([
    { name: "the requester", given: { by: ana }, reason: "RequesterMayNotApprove", message: /another person/ },
    {
      name: "a person with read access",
      given: { permission: "Read" },
      reason: "NotAuthorized",
      message: /@bob has read access on acme\/shop/,
    },
    {
      name: "a person without access",
      given: { permission: "None" },
      reason: "NotAuthorized",
      message: /@bob has no access on acme\/shop/,
    },
    {
      name: "a person whose account at the code host is not known",
      given: { by: { id: "U7", login: "eve" } },
      reason: "NotAuthorized",
      message: /spec\.access\.people/,
    },
    {
      name: "a task from kubectl, whose author can name anybody",
      given: { over: { source: { provider: "kubernetes" } } },
      reason: "NothingToApprove",
      message: /waits for approval/,
    },
  ])("is refused from $name", async ({ given, reason, message }) => {
    const answer = await give("approve", [held("asks", 1)], given);
    expect(answer).toMatchObject({ reason, requests: {} });
    expect(answer.message).toMatch(message);
  });

  it("approves nothing before the thread says what would become public", async () => {
    const unasked = held("asks", 1, { conditions: ["Authorized", { ...waits, reason: "Unavailable" }] });
    expect(await give("approve", [unasked])).toMatchObject({ reason: "NothingToApprove", requests: {} });
  });

  it("is not the approval of the commit that the work leaves", async () => {
    const requests = [{ type: "approve" as const, by: "bob", from: "before" }];
    const done = published("done", 1, {
      status: { repository: shop, result: { commit: shaOf("c"), branch }, requests },
    });
    expect((await give("approve", [done], { argument: "ccccccc" })).reason).toBe("Approved");
  });
});

describe("approve with a commit, in a thread that is not at the code host", () => {
  const approve = (others: AgentTask[], given: Given = {}) =>
    give("approve", others, { argument: "ccccccc", ...given });

  it("needs write access there, not only the right to start tasks", async () => {
    expect((await approve([published("done", 1)])).reason).toBe("Approved");
    expect((await approve([published("done", 1)], { permission: "Read" })).reason).toBe("NotAuthorized");
    expect((await approve([published("done", 1)], { by: { id: "U7", login: "eve" } })).reason).toBe("NotAuthorized");
  });

  it("waits for running work on the branch", async () => {
    const follows = aThreadTask({
      name: "follows",
      createdAt: at(40),
      conditions: ["Authorized"],
      status: { repository: shop, checkout: { headRef: branch } },
    });
    expect((await approve([published("done", 1), follows])).reason).toBe("StillRunning");
  });

  it("does not count an approval on a branch of the same name in another repository", async () => {
    const mine = published("mine", 1, { actor: bob });
    const elsewhere = published("elsewhere", 2, {
      status: {
        repository: { ...shop, id: "7", name: "site" },
        result: { commit: shaOf("e"), branch },
        requests: [{ type: "approve", by: "eve", from: "x", argument: "eeeeeee" }],
      },
    });
    expect((await approve([mine, elsewhere, published("hers", 3)])).reason).toBe("RequesterMayNotApprove");
  });
});

describe("other commands in a thread without a repository", () => {
  it("stop ends work that waits for an answer or an approval", async () => {
    const { requests } = await give("stop", [asking("asks", 1), held("waits", 2)]);
    expect(requests).toEqual({ waits: [["stop", undefined]], asks: [["stop", undefined]] });
  });

  it("retry repeats the work at its code host, and refuses while work waits for an answer", async () => {
    expect((await give("retry", [published("done", 1)])).message).toMatch(/^Started again as task /);
    expect((await give("retry", [published("done", 1), asking("asks", 2)])).reason).toBe("StillRunning");
  });

  it("status shows the question", async () => {
    const asks = asking("asks", 1, {
      conditions: ["Authorized", { ...answers, message: "Which repository?" }],
      status: { phase: "WaitingForInput" },
    });
    expect((await give("status", [asks])).message).toBe("asks: WaitingForInput. Which repository?");
  });

  it("use is refused at the code host, where every request has its repository", async () => {
    const task = aTask({ spec: { command: "use", commandArgument: "acme/site" }, conditions: ["Authorized"] });
    const context = stepContext({ facts: facts({ task }) });
    const { conditions } = await commandStep.plan(context, () => context);
    expect(conditions).toMatchObject([{ status: "False", reason: "NothingAsked" }]);
  });
});
