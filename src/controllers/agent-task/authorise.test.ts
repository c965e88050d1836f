import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { permissions, type Permission } from "../../integrations/code-host.ts";
import type { AccessDecision, ProviderFailure } from "../../integrations/connection.ts";
import { ProviderError } from "../../integrations/errors.ts";
import { aConnection } from "../../integrations/testing.ts";
import { unexpected } from "../../shared/testing.ts";
import { authorise } from "./authorise.ts";
import type { AuthoriseReading } from "./authorise-rules.ts";
import type { TaskFacts } from "./facts.ts";
import { aProfile, aTask, anIntegration, facts, noon, stepContext } from "./testing.ts";

const text = "@bellhop fix it";
const textSHA256 = createHash("sha256").update(text).digest("hex");
const spoken = aTask({ source: { textSHA256 } });

function found(over: object = {}): NonNullable<AuthoriseReading["reread"]> {
  return {
    found: true,
    actor: { id: "501", login: "ana", isBot: false },
    text,
    subjectKey: "acme/shop#42",
    editedAfter: false,
    private: false,
    ...over,
  };
}

/** The answer for a person with this permission, where the integration needs `needed`. */
function may(permission: Permission, over: { isBot?: boolean; needed?: Permission } = {}): AccessDecision {
  const { isBot = false, needed = "Write" } = over;
  return {
    allowed: !isBot && permissions.indexOf(permission) >= permissions.indexOf(needed),
    isBot,
    login: "ana",
    has: `${permission === "None" ? "no" : permission.toLowerCase()} access on acme/shop`,
    needs: `${needed.toLowerCase()} access or higher`,
  };
}

const owner = aTask({
  name: "owner",
  actor: { id: "7", login: "olga" },
  status: { result: { branch: "bellhop/42-x", commit: "c".repeat(40) }, conversation: "acme/shop#42" },
});
const check = aTask({
  name: "check",
  actor: { id: "1", login: "github-actions[bot]" },
  source: {
    subject: { type: "Change", key: "acme/shop#57", number: 57 },
    object: { type: "CheckSuite", id: "5", headSHA: "c".repeat(40) },
  },
  spec: { conversation: "acme/shop#57" },
});
const checked = found({ subjectKey: "acme/shop#57", text: undefined });

function earlierFix(name: string, over: object = {}): ReturnType<typeof aTask> {
  return aTask({
    name,
    source: { object: { type: "CheckSuite", id: name, headSHA: "d".repeat(40) } },
    conditions: ["Authorized"],
    status: { conversation: "acme/shop#42", checkout: { headRef: "bellhop/42-x" } },
    ...over,
  });
}

const kubectl = aTask({ source: { provider: "kubernetes" }, actor: { id: "u", login: "kim" } });
const other = { kind: "GitHubIntegration", name: "other" } as const;
const toOtherHost = aTask({
  source: { provider: "kubernetes" },
  actor: { id: "u", login: "kim" },
  spec: { codeHostRef: other },
});
const allow = anIntegration({ access: { kubernetes: "Allow" } });

describe("authorise", () => {
  it.each<{
    name: string;
    facts: TaskFacts;
    reading: AuthoriseReading;
    status: string;
    reason: string;
    message: RegExp;
  }>([
    {
      name: "allows a person with write access to start a task, and says so",
      facts: facts({ task: spoken }),
      reading: { reread: found(), grant: may("Write") },
      status: "True",
      reason: "PermissionChecked",
      message: /@ana has write access on acme\/shop/,
    },
    {
      name: "refuses a person with read access and names the required access",
      facts: facts({ task: spoken }),
      reading: { reread: found(), grant: may("Read") },
      status: "False",
      reason: "NotAuthorized",
      message: /@ana has read access on acme\/shop; integration shop needs write access or higher/,
    },
    {
      name: "refuses a person with write access if the integration requires more",
      facts: facts({ task: spoken, integration: anIntegration({ access: { permission: "Maintain" } }) }),
      reading: { reread: found(), grant: may("Write", { needed: "Maintain" }) },
      status: "False",
      reason: "NotAuthorized",
      message: /needs maintain/,
    },
    {
      name: "refuses if the provider shows no permission at all",
      facts: facts({ task: spoken }),
      reading: { reread: found() },
      status: "False",
      reason: "NotAuthorized",
      message: /no access/,
    },
    {
      name: "refuses a bot even with admin access",
      facts: facts({ task: spoken }),
      reading: { reread: found(), grant: may("Admin", { isBot: true }) },
      status: "False",
      reason: "NotAuthorized",
      message: /is a bot/,
    },
    {
      name: "allows a bot that the integration lists",
      facts: facts({ task: spoken }),
      reading: { reread: found(), grant: { ...may("None", { isBot: true }), allowed: true, has: "an entry" } },
      status: "True",
      reason: "PermissionChecked",
      message: /^ana has an entry\.$/,
    },
    {
      name: "lets no bot approve anything, also if the integration lists it",
      facts: facts({ task: aTask({ source: { textSHA256 }, spec: { command: "approve" } }) }),
      reading: { reread: found(), grant: { ...may("None", { isBot: true }), allowed: true } },
      status: "False",
      reason: "NotAuthorized",
      message: /only people can approve/,
    },
    {
      name: "refuses a comment that was deleted",
      facts: facts({ task: spoken }),
      reading: { reread: { found: false, message: "The comment was deleted." } },
      status: "False",
      reason: "SourceGone",
      message: /deleted/,
    },
    {
      name: "refuses a comment that was edited after it triggered the task",
      facts: facts({ task: spoken }),
      reading: { reread: found({ text: "@bellhop leak it" }), grant: may("Admin") },
      status: "False",
      reason: "SourceMismatch",
      message: /edited/,
    },
    {
      name: "refuses a comment that somebody else wrote",
      facts: facts({ task: spoken }),
      reading: { reread: found({ actor: { id: "666", login: "eve", isBot: false } }), grant: may("Admin") },
      status: "False",
      reason: "SourceMismatch",
      message: /@eve/,
    },
    {
      name: "refuses a comment that is on another issue than the event named",
      facts: facts({ task: spoken }),
      reading: { reread: found({ subjectKey: "acme/shop#1" }), grant: may("Admin") },
      status: "False",
      reason: "SourceMismatch",
      message: /acme\/shop#1, not to acme\/shop#42/,
    },
    {
      name: "does not check the author of an issue that somebody else labelled",
      facts: facts({ task: aTask({ source: { object: { type: "Issue", id: "42" } } }) }),
      reading: { reread: found({ actor: { id: "8", login: "bob", isBot: false } }), grant: may("Write") },
      status: "True",
      reason: "PermissionChecked",
      message: /@ana/,
    },
    {
      name: "refuses failed checks on a commit that Bellhop did not create",
      facts: facts({ task: check }),
      reading: {},
      status: "False",
      reason: "NotOurs",
      message: /no Bellhop task/,
    },
    {
      name: "fixes failed checks on behalf of the requester of the commit",
      facts: facts({ task: check, tasks: [owner, check] }),
      reading: { reread: checked, grant: { ...may("Write"), login: "olga" } },
      status: "True",
      reason: "PermissionChecked",
      message: /@olga has write/,
    },
    {
      name: "refuses a further fix after as many fixes as the profile allows",
      facts: facts({
        task: check,
        tasks: [owner, check, earlierFix("a"), earlierFix("b")],
        profile: aProfile({ output: { fixLoops: 2 } }),
      }),
      reading: { reread: checked, grant: may("Write") },
      status: "False",
      reason: "FixLoopsExhausted",
      message: /fixLoops: 2/,
    },
    {
      name: "counts neither refused fixes nor those of another branch",
      facts: facts({
        task: check,
        tasks: [
          owner,
          check,
          earlierFix("a", { conditions: [{ type: "Authorized", status: "False" }] }),
          earlierFix("b", { status: { conversation: "acme/shop#42", checkout: { headRef: "bellhop/41" } } }),
        ],
        profile: aProfile({ output: { fixLoops: 1 } }),
      }),
      reading: { reread: checked, grant: { ...may("Write"), login: "olga" } },
      status: "True",
      reason: "PermissionChecked",
      message: /@olga/,
    },
    {
      name: "refuses tasks from kubectl unless the integration allows them",
      facts: facts({ task: kubectl }),
      reading: { repository: { owner: "acme", name: "shop", covered: true } },
      status: "False",
      reason: "NotAuthorized",
      message: /access\.kubernetes: Allow/,
    },
    {
      name: "accepts tasks from kubectl if the integration allows them and covers the repository",
      facts: facts({ task: kubectl, integration: allow }),
      reading: { repository: { owner: "acme", name: "shop", covered: true } },
      status: "True",
      reason: "KubernetesAllowed",
      message: /kim/,
    },
    {
      name: "refuses a code host from kubectl that the integration does not name, since it may not accept tasks from kubectl",
      facts: facts({ task: toOtherHost, integration: allow }),
      reading: { repository: { owner: "acme", name: "shop", covered: true } },
      status: "False",
      reason: "NotAuthorized",
      message: /Integration shop has no spec\.codeHostRef/,
    },
    {
      name: "accepts a code host from kubectl that the integration names",
      facts: facts({ task: toOtherHost, integration: { ...allow, spec: { ...allow.spec, codeHostRef: other } } }),
      reading: { repository: { owner: "acme", name: "shop", covered: true } },
      status: "True",
      reason: "KubernetesAllowed",
      message: /kim/,
    },
    {
      name: "does not check the author of a message on which somebody else used the shortcut",
      facts: facts({
        task: aTask({ source: { object: { type: "Message", id: "1" }, signal: { type: "Shortcut" } } }),
      }),
      reading: { reread: found({ actor: { id: "8", login: "bob", isBot: false } }), grant: may("Write") },
      status: "True",
      reason: "PermissionChecked",
      message: /@ana/,
    },
    {
      name: "refuses a repository from kubectl that the integration does not cover",
      facts: facts({ task: kubectl, integration: allow }),
      reading: { repository: { owner: "acme", name: "shop", covered: false } },
      status: "False",
      reason: "NotAuthorized",
      message: /does not cover/,
    },
    {
      name: "refuses a covered name with the id of another repository",
      facts: facts({ task: kubectl, integration: allow }),
      reading: { repository: { owner: "acme", name: "vault", covered: true } },
      status: "False",
      reason: "NotAuthorized",
      message: /acme\/vault, the repository with id 9001/,
    },
    {
      name: "waits for an integration that does not exist",
      facts: facts({ task: spoken, integration: undefined }),
      reading: {},
      status: "Unknown",
      reason: "IntegrationNotFound",
      message: /GitHubIntegration shop/,
    },
  ])("$name", ({ facts: given, reading, status, reason, message }) => {
    const decision = authorise.decide(given, reading, noon);
    expect(decision.conditions?.[0]).toMatchObject({ type: "Authorized", status, reason });
    expect(decision.conditions?.[0]?.message).toMatch(message);
  });

  it("writes the requester of failed checks and the conversation of the task that opened the change", () => {
    const decision = authorise.decide(
      facts({ task: check, tasks: [owner, check] }),
      { reread: checked, grant: { ...may("Write"), login: "olga" } },
      noon,
    );
    expect(decision.fields).toEqual({
      conversation: "9001#42",
      conversationInstance: "github.com",
      requester: { id: "7", login: "olga" },
    });
  });

  it.each([
    ["allowed", may("Write")],
    ["refused", may("Read")],
  ])("writes the name that the provider has for a person who is %s, not the one in the event", (_what, given) => {
    const task = aTask({ source: { textSHA256 }, actor: { id: "501", login: "U0501" } });
    const { conditions, fields } = authorise.decide(facts({ task }), { reread: found(), grant: given }, noon);
    expect(fields?.requester).toEqual({ id: "501", login: "ana" });
    expect(conditions?.[0]?.message).toContain("@ana has");
  });

  it("writes the author of a task from kubectl as its requester", () => {
    const task = aTask({ source: { provider: "kubernetes" }, actor: { id: "u-1", login: "dev@acme.example" } });
    const { fields } = authorise.decide(facts({ task }), {}, noon);
    expect(fields?.requester).toEqual({ id: "u-1", login: "dev@acme.example" });
  });

  it("lets only the requester stop running work without write access", () => {
    const running = aTask({ name: "running", conditions: ["Authorized", "Admitted"] });
    const stop = aTask({ name: "stop", spec: { command: "stop" } });
    const other = aTask({ name: "stop", spec: { command: "stop" }, actor: { id: "502", login: "bob" } });
    const reading = { reread: found(), grant: may("Read") };
    const verdict = (task: typeof stop, by: object): string | undefined =>
      authorise.decide(facts({ task, tasks: [running, task] }), { ...reading, ...by }, noon).conditions?.[0]?.status;
    expect(verdict(stop, {})).toBe("True");
    expect(verdict(other, { reread: found({ actor: { id: "502", login: "bob", isBot: false } }) })).toBe("False");
  });

  it("limits a stop to the requester's own work if they have no write access", () => {
    const running = aTask({ name: "running", conditions: ["Authorized", "Admitted"] });
    const stop = aTask({ name: "stop", spec: { command: "stop" } });
    const reason = (permission: Permission): string | undefined =>
      authorise.decide(facts({ task: stop, tasks: [running, stop] }), { reread: found(), grant: may(permission) }, noon)
        .conditions?.[0]?.reason;
    expect(reason("Read")).toBe("OwnWork");
    expect(reason("Write")).toBe("PermissionChecked");
  });

  it("accepts nobody as a requester of work that was not authorised", () => {
    const hers = aTask({ name: "hers", conditions: ["Authorized", "Admitted"], actor: { id: "7", login: "olga" } });
    const stop = aTask({ name: "stop", spec: { command: "stop" } });
    const tasks = [hers, aTask({ name: "pending" }), stop];
    const decision = authorise.decide(facts({ task: stop, tasks }), { reread: found(), grant: may("None") }, noon);
    expect(decision.conditions).toMatchObject([{ status: "False", reason: "NotAuthorized" }]);
  });

  it("skips tasks that are authorised or refused, over, or asked to stop", () => {
    const concerns = (task: ReturnType<typeof aTask>): boolean => authorise.concerns(facts({ task }), noon);
    expect(concerns(aTask())).toBe(true);
    expect(concerns(aTask({ conditions: [{ type: "Authorized", status: "Unknown" }] }))).toBe(true);
    expect(concerns(aTask({ conditions: ["Authorized"] }))).toBe(false);
    expect(concerns(aTask({ spec: { cancel: { by: "kim" } } }))).toBe(false);
  });

  it("treats the source as gone if the whole repository is gone, and retries after every other failure", async () => {
    const read = (failure: ProviderFailure): Promise<AuthoriseReading> =>
      authorise.gather(
        stepContext({
          facts: facts({ task: spoken }),
          connection: async () =>
            aConnection({
              source: {
                reread: () => Promise.reject(new ProviderError(failure, "no way in")),
                gather: unexpected("gather"),
              },
            }),
        }),
      );
    expect(authorise.decide(facts({ task: spoken }), await read("NotFound"), noon).conditions?.[0]).toMatchObject({
      status: "False",
      reason: "SourceGone",
      message: expect.stringContaining("no way in") as string,
    });
    await expect(read("Suspended")).rejects.toThrow("no way in");
    await expect(read("Unavailable")).rejects.toThrow("no way in");
  });
});
