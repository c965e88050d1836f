import { describe, expect, it } from "vitest";
import { compileRule } from "../../intake/cel.ts";
import { decide } from "../../intake/decide.ts";
import { anEvent, anIntegration } from "../../intake/testing.ts";
import { defaultIntegrationConfig } from "./deps.ts";
import { stalledBy } from "./stalled.ts";

const config = { ...defaultIntegrationConfig, namespace: "bellhop", externalURL: "https://bellhop.example" };

describe("a broken rule on one trigger of several", () => {
  it.each([
    ["RuleInvalid", "event.foo("],
    ["RuleTooExpensive", "body.a.all(x, body.a.all(y, body.a.all(z, true)))"],
  ])("makes the operator report %s and the gateway ignore every event except commands", (reason, when) => {
    const triggers = [
      { name: "mention", mention: {} },
      { name: "label", label: { name: "agent" }, when },
    ];
    const integration = anIntegration({ spec: { triggers } });
    const decideMention = (words: string) =>
      decide({
        integration,
        event: anEvent({ signals: [{ kind: "mention", words }] }),
        body: {},
        published: { branchPrefixes: [] },
        now: new Date("2026-01-10T00:00:00Z"),
        compile: compileRule,
      });

    const verdict = stalledBy({ compileRule, config }, integration);
    expect(verdict).toMatchObject({ type: "Stalled", status: "True", reason });
    expect(verdict?.message).toMatch(
      /^All triggers are disabled until spec\.triggers\[label\]\.when is fixed \(commands .* work\): \w/,
    );
    expect(decideMention("fix it")).toEqual({ result: "ignored", reason, message: verdict?.message });
    expect(decideMention("stop")).toMatchObject({ result: "task", command: "stop" });
  });
});
