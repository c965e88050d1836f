import { describe, expect, it } from "vitest";
import { sourceOf } from "../demo/source.ts";

describe("the provider that the demo starts from", () => {
  it.each([
    [{}, "github"],
    [{ FROM: "" }, "github"],
    [{ FROM: "github", CONTEXT: "kind-dev" }, "github"],
    [{ FROM: "slack", CONTEXT: "" }, "slack"],
  ])("with %j is %s", (env, source) => {
    expect(sourceOf(env)).toBe(source);
  });

  it.each([
    [{ FROM: "jira" }, "there is no demo FROM=jira: use FROM=github or FROM=slack"],
    [{ FROM: "Slack" }, "there is no demo FROM=Slack: use FROM=github or FROM=slack"],
    [
      { FROM: "slack", CONTEXT: "kind-dev" },
      "the demo FROM=slack starts a cluster of its own: leave CONTEXT out, or use FROM=github",
    ],
  ])("with %j is refused", (env, message) => {
    expect(() => sourceOf(env)).toThrow(message);
  });
});
