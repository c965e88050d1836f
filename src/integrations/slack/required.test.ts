import { describe, expect, it } from "vitest";
import { slackAppSpec } from "../../api/slack-app.ts";
import { required } from "./required.ts";

const ref = { name: "slack", key: "k" };
const requiredBy = (spec: Record<string, unknown>) =>
  required({
    spec: slackAppSpec.parse({
      credentials: { botTokenSecretRef: ref, signingSecretRef: ref },
      codeHostRef: { kind: "GitHubIntegration", name: "acme" },
      profileRef: { name: "default" },
      ...spec,
    }),
  });

describe("the requirements of an app", () => {
  it.each([
    ["mention", "app_mentions:read", "app_mention"],
    ["directMessage", "im:history", "message.im"],
    ["slashCommand", "commands", "app_uninstalled"],
    ["shortcut", "commands", "tokens_revoked"],
  ])("include those of the trigger %s", (kind, scope, event) => {
    const { scopes, events } = requiredBy({ triggers: [{ name: "one", [kind]: {} }] });
    expect(scopes).toEqual(expect.arrayContaining([scope, "chat:write", "users:read", "reactions:write"]));
    expect(events).toContain(event);
  });

  it.each(["slashCommand", "shortcut"])("let the app read the kind of every conversation where %s works", (kind) => {
    const { scopes } = requiredBy({ triggers: [{ name: "one", [kind]: {} }] });
    expect(scopes).toEqual(expect.arrayContaining(["channels:read", "groups:read", "im:read", "mpim:read"]));
  });

  it("have no scope that nothing needs", () => {
    const triggers = [{ name: "one", directMessage: {} }];
    const { scopes } = requiredBy({ triggers, reporting: { reaction: false } });
    expect(scopes).toEqual(["chat:write", "im:history", "im:read", "users:read"]);
    expect(requiredBy({ triggers, access: { userGroups: ["S1"] } }).scopes).toContain("usergroups:read");
  });
});
