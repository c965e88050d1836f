import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { patiently, startSignedIn, type SignedIn } from "../../../../test/providers/github/signed-in.ts";
import { failing } from "../../../../test/providers/github/index.ts";
import type { CodeHost } from "../../code-host.ts";

let world: SignedIn;
let host: CodeHost;

beforeAll(async () => {
  world = await startSignedIn();
  const connection = await world.connect(world.integration());
  host = connection.codeHost!;
}, 60_000);
afterAll(() => world?.close());

const asks = (name: string, creates: boolean) => host.pushRefusal(world.repository, { name, creates }, patiently);
const rule = (
  prefix: string,
  given: Parameters<SignedIn["github"]["people"]["addRuleset"]>[0]["rule"],
  bypass: number[] = [],
) => world.github.people.addRuleset({ repo: "acme/shop", name: `Rules for ${prefix}`, prefix, rule: given, bypass });

describe("the rules of a branch", () => {
  it("allow a push that no ruleset names", async () => {
    expect(await asks("free/42", true)).toBeUndefined();
  });

  it("forbid the creation of a branch, and say which ruleset does and what to do", async () => {
    await rule("closed/", { type: "creation" });
    expect(await asks("closed/42", true)).toBe(
      'Bellhop may not push to `closed/42` of acme/shop: the ruleset "Rules for closed/" does not allow the creation of this branch. ' +
        "Add Bellhop's App to the ruleset's bypass list, or exempt its branches; then use the command `retry`.",
    );
    expect(await asks("closed/42", false), "the branch exists already").toBeUndefined();
  });

  it("forbid updates, unsigned commits and other names", async () => {
    await rule("frozen/", { type: "update", parameters: { update_allows_fetch_and_merge: false } });
    await rule("signed/", { type: "required_signatures" });
    await rule("named/", {
      type: "branch_name_pattern",
      parameters: { operator: "ends_with", pattern: "-ok", negate: false },
    });
    expect(await asks("frozen/1", false)).toContain("does not allow updates of this branch");
    expect(await asks("frozen/1", true)).toBeUndefined();
    expect(await asks("signed/1", true)).toContain("requires signed commits");
    expect(await asks("named/1", true)).toContain("wants names of branches that end with `-ok`");
    expect(await asks("named/1-ok", true)).toBeUndefined();
  });

  it("do not matter to an App that may bypass them", async () => {
    await rule("ours/", { type: "creation" }, [world.github.app("bellhop").id]);
    expect(await asks("ours/42", true)).toBeUndefined();
  });

  it("forbid nothing as long as they cannot be read: then the answer to the push decides", async () => {
    await rule("unread/", { type: "creation" });
    world.github.fail({ path: /\/rulesets\/\d+$/ }, failing.forbidden());
    expect(await asks("unread/42", true)).toBeUndefined();
  });
});

describe("a renamed branch", () => {
  it("does not exist under its former name, although GitHub redirects", async () => {
    await world.github.people.renameBranch({ repo: "acme/shop", from: "main", to: "trunk" });
    expect(await host.branch(world.repository, "main", patiently)).toBeUndefined();
    expect(await host.branch(world.repository, "trunk", patiently)).toMatchObject({ sha: expect.any(String) });
  });
});
