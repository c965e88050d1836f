import { describe, expect, it } from "vitest";
import { ProviderError } from "../../../integrations/errors.ts";
import { changeTexts } from "../../../integrations/github/code-host/change-text.ts";
import { renderer } from "../../../integrations/github/report/render.ts";
import { aChange, aConnection, fakeHost } from "../../../integrations/testing.ts";
import type { StatusPatch } from "../facts.ts";
import { aProfile, anIntegration, facts, shaOf, stepContext } from "../testing.ts";
import { changeText } from "./change-text.ts";
import { publishStep } from "./index.ts";
import { aPushingTask } from "./testing.ts";

const branch = "bellhop/42-fix";
const { render, bodyWith } = changeTexts(renderer("github.com"));

function pushed(commit: string, profile: object = {}) {
  const task = aPushingTask(commit, { baseRef: "main", headRef: branch, headSHA: shaOf("a") });
  return facts({ task, profile: aProfile(profile) });
}

/**
 * Concludes a push of `cccc…` to a branch whose open change has the text `body`; returns the status and the texts that were written into
 * the change.
 */
async function conclude(body: string, given: { profile?: object; refuse?: ProviderError } = {}) {
  const tip = { sha: shaOf("c"), protected: false };
  const { host } = fakeHost({ branches: { [branch]: tip }, changes: [aChange({ headRef: branch, body })] });
  host.bodyWith = bodyWith;
  const written: string[] = [];
  host.updateChange = async (_repository, _number, change) => {
    if (given.refuse) throw given.refuse;
    written.push(change.body);
  };
  const context = stepContext({
    facts: pushed(shaOf("c"), given.profile),
    connection: async () => aConnection({ codeHost: host }),
  });
  const { actions } = await publishStep.plan(context, () => context);
  const [patch] = (await Promise.all(actions.map((action) => action()))) as [StatusPatch];
  return { written, result: patch.fields?.result, end: patch.conditions?.at(-1) };
}

describe("a push to the branch of an open change", () => {
  const { task, profile } = pushed(shaOf("b"));
  if (!profile) throw new Error("the facts have a profile");
  const integration = anIntegration();
  const ours = render(changeText({ task, profile, integration, commit: shaOf("b"), mention: "bellhop" })).body;

  it("updates a change of ours with the new commit", async () => {
    const { written, result, end } = await conclude(ours);
    expect(written).toEqual([expect.stringContaining("`@bellhop approve ccccccc`")]);
    expect(written[0]).not.toContain("bbbbbbb");
    expect(end).toMatchObject({ status: "True", reason: "Published" });
    expect(result).not.toHaveProperty("heldUnsaid");
  });

  it("does not change somebody else's text, and records that the report must explain the held checks", async () => {
    const { written, result } = await conclude("I made this.");
    expect(written).toEqual([]);
    expect(result).toMatchObject({ commit: shaOf("c"), changeNumber: 57, heldUnsaid: true });
    expect((await conclude("I made this.", { profile: { output: { ci: "Run" } } })).result).not.toHaveProperty(
      "heldUnsaid",
    );
  });

  it("succeeds even if the code host refuses the new text", async () => {
    const refuse = new ProviderError("Invalid", "body is too long");
    const { result, end } = await conclude(ours, { refuse });
    expect(end).toMatchObject({ status: "True", reason: "Published" });
    expect(result).toMatchObject({ heldUnsaid: true });
  });
});
