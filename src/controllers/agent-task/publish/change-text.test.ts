import { describe, expect, it } from "vitest";
import { encoder } from "../../../integrations/github/encode.ts";
import { aProfile, aTask, shaOf } from "../testing.ts";
import { changeBody, changeTitle } from "./change-text.ts";

const encode = encoder("github.com");
const text = (over: Parameters<typeof aTask>[0] = {}, profile: object = {}) => ({
  task: aTask(over),
  profile: aProfile(profile),
  commit: shaOf("b"),
  mention: "bellhop",
  encode,
  host: { closingWords: (subject: number) => `Fixes #${subject}` },
});

describe("the text of a change", () => {
  it("closes the issue it is for, in our words alone", () => {
    const body = changeBody(text({ status: { result: { summary: "Fixes #1, closes #2." } } }));
    expect(body.match(/^Fixes #42$/m)).not.toBeNull();
    expect(body.match(/fixes #1|closes #2/i)).toBeNull();
  });

  it("says on top of which change it stands, and closes nothing then", () => {
    const body = changeBody(text({ source: { subject: { type: "Change", key: "acme/shop#57", number: 57 } } }));
    expect(body).toContain("On top of #57.");
    expect(body).not.toContain("Fixes");
  });

  it("says that checks wait, why, and how somebody else lets them go", () => {
    expect(changeBody(text())).toMatch(
      /Checks are held.*required checks wait.*other than the requester.*`@bellhop approve bbbbbbb`/s,
    );
    expect(changeBody(text({}, { output: { ci: "Run" } }))).not.toContain("Checks are held");
  });

  it("names who asked, and no account of the host where that was kubectl", () => {
    expect(changeBody(text())).toContain("Made by Bellhop for @ana.");
    const kubectl = changeBody(text({ source: { provider: "kubernetes" }, actor: { id: "", login: "kim`s" } }));
    expect(kubectl).toContain("for `kims` (kubectl)");
  });

  it("has the subject's title, harmless and in one line of at most 200 characters", () => {
    const title = (words: string): string =>
      changeTitle(text({ source: { subject: { type: "Issue", key: "acme/shop#42", number: 42, title: words } } }));
    expect(title("  Fix\n login\t ")).toBe("Fix login");
    expect(title("ping @ana")).not.toContain("@ana");
    expect(title("")).toMatch(/^Work on acme\/shop#.?42$/);
    expect(Array.from(title("😀".repeat(300)))).toHaveLength(200);
    expect(title("😀".repeat(300)).isWellFormed()).toBe(true);
  });
});
