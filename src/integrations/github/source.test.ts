import { describe, expect, it } from "vitest";
import type { RepositoryRef } from "../code-host.ts";
import type { ThreadTarget } from "../connection.ts";
import { unexpected } from "../../shared/testing.ts";
import { aSource, patiently } from "../../../test/providers/github/signed-in.ts";
import { source } from "./source.ts";
import { aGitHubClient, type Answer } from "./testing.ts";

const repository: RepositoryRef = { id: "5", host: "github.com", owner: "acme", name: "shop" };
const target = (type: Parameters<typeof aSource>[0], more: Partial<ThreadTarget> = {}): ThreadTarget => ({
  source: aSource(type, 1, { number: 1 }),
  conversation: "acme/shop#1",
  ...more,
});

/** Reads from a GitHub that gives these answers; it has no others. */
function sourceWith(answer: Answer): ReturnType<typeof source> {
  const client = aGitHubClient(answer);
  return source({ ...client, forRepository: () => Promise.resolve(client.self) }, unexpected("who"));
}

describe("a task without a repository", () => {
  const from = source(aGitHubClient(unexpected("request")), unexpected("who"));

  it("has no object that could be read again, and nothing is asked", async () => {
    expect(await from.reread(target("IssueComment"), patiently)).toEqual({
      found: false,
      message: "The task names no repository.",
    });
  });

  it("has no conversation, and nothing is asked", async () => {
    expect(await from.gather(target("IssueComment"), { until: new Date(), budgetBytes: 1000 }, patiently)).toEqual([]);
  });
});

describe("reread", () => {
  it("finds nothing if the object is of a type that GitHub does not have", async () => {
    const source = sourceWith(() => ({ data: { id: 5, private: true } }));
    expect(await source.reread(target("Message", { repository }), patiently)).toEqual({
      found: false,
      message: "The object that triggered this task in acme/shop#1 no longer exists.",
    });
  });

  it("finds nothing if another repository has the name now", async () => {
    const asked: string[] = [];
    const source = sourceWith((route) => {
      asked.push(route);
      return { data: { id: 6, private: false } };
    });
    expect(await source.reread(target("IssueComment", { repository }), patiently)).toMatchObject({ found: false });
    expect(asked).toEqual(["GET /repos/{owner}/{repo}"]);
  });

  it.each([true, false])("says whether the repository is private: %s", async (isPrivate) => {
    const user = { id: 1, login: "ada", type: "User" };
    const issue = { user, body: "fix it", number: 1 };
    const source = sourceWith((route) => ({
      data: route === "GET /repos/{owner}/{repo}" ? { id: 5, private: isPrivate } : issue,
    }));
    expect(await source.reread(target("Issue", { repository }), patiently)).toMatchObject({
      found: true,
      private: isPrivate,
      text: "fix it",
    });
  });
});
