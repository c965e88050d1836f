import { describe, expect, it } from "vitest";
import type { AgentTask } from "../../../api/kinds.ts";
import type { PersonalQuestion, Thread } from "../../../integrations/connection.ts";
import { ProviderError } from "../../../integrations/errors.ts";
import { aThread } from "../../../integrations/testing.ts";
import type { TaskOverrides } from "../testing.ts";
import { asking, bob, give, published, type Given } from "./testing.ts";

describe("use without a repository", () => {
  const menu = async (others: AgentTask[], ask?: Thread["ask"], given: Given = {}) => {
    const thread = aThread(ask ? { ask } : {});
    return give("use", others, { ...given, thread });
  };

  it("shows the menu to the sender, for the request that waits", async () => {
    const asked: PersonalQuestion[] = [];
    const { reason, requests } = await menu(
      [asking("only", 1)],
      async (_target, question) => void asked.push(question),
    );
    expect(reason).toBe("MenuShown");
    expect(requests).toEqual({});
    expect(asked).toEqual([{ task: "only", person: bob.id, text: "Which repository?" }]);
  });

  it("is refused if nothing waits, or several requests do", async () => {
    expect(await menu([published("done", 1)])).toMatchObject({ reason: "NothingAsked" });
    expect(await menu([asking("older", 1), asking("newer", 2)])).toMatchObject({ reason: "SeveralWait" });
  });

  it("says how to answer where no menu can be shown", async () => {
    const refuse = async () => {
      throw new ProviderError("Forbidden", "user_not_in_channel");
    };
    for (const ask of [undefined, refuse])
      expect(await menu([asking("only", 1)], ask)).toMatchObject({
        reason: "NoMenu",
        message: expect.stringContaining("`use owner/name`") as string,
      });
  });

  it("is shown later if the provider's rate limit is reached, because then it was not shown", async () => {
    const limited = async () => {
      throw new ProviderError("RateLimited", "ratelimited", { retryAfterMs: 1_000 });
    };
    await expect(menu([asking("only", 1)], limited)).rejects.toMatchObject({ code: "RateLimited" });
  });

  it("is not shown again and again if the provider does not answer, because it may have been shown", async () => {
    const fail = async () => {
      throw new ProviderError("Unavailable", "no answer in time");
    };
    expect(await menu([asking("only", 1)], fail)).toMatchObject({ reason: "NoMenu" });
  });
});

describe("a button", () => {
  const report = { id: "1700000000.000200", url: "https://acme.slack.com/archives/C1/p1" };
  const click = (message: string | undefined, over: TaskOverrides = {}) =>
    give("stop", [asking("work", 1, { status: { report }, ...over })], {
      over: { spec: { commandTarget: "work", ...(message === undefined ? {} : { commandMessage: message }) } },
    });

  it("acts on the task whose report it is in", async () => {
    expect(await click(report.id)).toMatchObject({ reason: "Stopped" });
  });

  it("is refused in another message, with a sentence that says where the report is", async () => {
    expect(await click("1700000000.000999")).toEqual({
      reason: "OtherMessage",
      message: `This is not the report of work. Use the button in its report: ${report.url}`,
      requests: {},
      created: [],
    });
  });

  it("is not compared if the message is one that only one person sees, or the report's id is not stored yet", async () => {
    expect(await click(undefined)).toMatchObject({ reason: "Stopped" });
    expect(await click("1700000000.000999", { status: {} })).toMatchObject({ reason: "Stopped" });
  });
});
