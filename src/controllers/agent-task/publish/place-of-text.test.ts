import { expect, it } from "vitest";
import type { ChangeText } from "../../../integrations/report.ts";
import { changeTexts } from "../../../integrations/github/code-host/change-text.ts";
import { findMention } from "../../../integrations/github/mention.ts";
import { renderer } from "../../../integrations/github/report/render.ts";
import { aChange, fakeHost } from "../../../integrations/testing.ts";
import { unexpected } from "../../../shared/testing.ts";
import { aThreadTask, facts, shaOf, shop, stepContext } from "../testing.ts";
import { publishStep } from "./index.ts";
import { aPushingTask } from "./testing.ts";

const branch = "bellhop/begin";

it("renders the pull request of a request from a chat with the code host's encoder only, without asking the chat", async () => {
  const { host } = fakeHost({ branches: { [branch]: { sha: shaOf("c"), protected: false } } });
  const texts: ChangeText[] = [];
  host.openChange = async (_repository, { text }) => {
    texts.push(text);
    return aChange({ headRef: branch });
  };
  const pushing = aPushingTask(shaOf("c"), { baseRef: "main", headRef: branch, headSHA: shaOf("a"), newBranch: true });
  const task = aThreadTask({ conditions: ["Authorized", "Approved", "Admitted"] });
  const summary = "Fixes #1 for @octocat & <@U501>: `a < b`";
  task.status = {
    ...task.status,
    ...pushing.status,
    repository: shop,
    result: { ...pushing.status?.result, summary },
  };
  const context = stepContext({
    facts: facts({ task }),
    connection: unexpected("connection"),
    codeHost: async () => host,
  });
  const { actions } = await publishStep.plan(context, () => context);
  await Promise.all(actions.map((action) => action()));

  expect(texts).toHaveLength(1);
  // The text is data as the agent wrote it; only the code host encodes it.
  expect(texts[0]?.summary).toBe(summary);
  const { body } = changeTexts(renderer("github.com")).render(texts[0] ?? ({} as ChangeText));
  expect(body).toContain("`a < b`");
  expect(body).not.toMatch(/&amp;|&lt;|Fixes #1/);
  expect(findMention(body, "octocat")).toBeUndefined();
});
