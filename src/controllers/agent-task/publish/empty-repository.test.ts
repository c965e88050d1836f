import { describe, expect, it } from "vitest";
import { aConnection, fakeHost } from "../../../integrations/testing.ts";
import { facts, shaOf, stepContext } from "../testing.ts";
import { publishStep } from "./index.ts";
import { aPushingTask } from "./testing.ts";

const branch = "bellhop/42-begin";

describe("publishing the first commit of a repository", () => {
  it("opens no change, because there is nothing to merge it into, and says so", async () => {
    const { host } = fakeHost({ branches: { [branch]: { sha: shaOf("b"), protected: false } } });
    const task = aPushingTask(shaOf("b"), { baseRef: "main", headRef: branch, newBranch: true });
    const context = stepContext({
      facts: facts({ task }),
      connection: async () => aConnection({ codeHost: host }),
    });
    const { actions } = await publishStep.plan(context, () => context);
    const [patch] = await Promise.all(actions.map((action) => action()));
    expect(patch?.conditions?.at(-1)).toMatchObject({
      type: "Succeeded",
      status: "True",
      reason: "Published",
      message: expect.stringMatching(/no pull request: the repository was empty/) as string,
    });
    expect(patch?.fields?.result).toMatchObject({ branch, commit: shaOf("b") });
  });
});
