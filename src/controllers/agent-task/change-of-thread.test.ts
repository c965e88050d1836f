import { describe, expect, it } from "vitest";
import type { AgentTask } from "../../api/kinds.ts";
import { aConnection } from "../../integrations/testing.ts";
import { authorise } from "./authorise.ts";
import { branchBefore, fixesBefore, resolveConversation, tasksOf } from "./conversation.ts";
import type { TaskFacts } from "./facts.ts";
import { repositoryOf } from "./state.ts";
import {
  anIntegration,
  aTask,
  aThreadTask,
  facts,
  noon,
  shaOf,
  shop,
  stepContext,
  taskCacheOf,
  type TaskOverrides,
} from "./testing.ts";

const thread = { conversation: "C1/100.1", conversationInstance: "T1 SlackApp/chat" };
const commit = shaOf("c");
const result = { commit, branch: "bellhop/fix", changeNumber: 57 };
const subject = { type: "Change", key: "acme/shop#57", number: 57 } as const;
const mapped = [{ id: "U501", codeHost: { id: "900", login: "ana-dev" } }];

/** The work that U501 requested in a thread, which left a change. */
const work = aThreadTask({
  name: "work",
  createdAt: "2026-03-01T11:00:00Z",
  conditions: ["Authorized", "Approved", "Succeeded"],
  status: { ...thread, repository: shop, result },
});

function atChange(name: string, over: TaskOverrides = {}): AgentTask {
  return aTask({
    name,
    createdAt: "2026-03-01T11:30:00Z",
    ...over,
    source: { instance: "github.com", cause: name, subject, ...over.source },
    spec: { conversation: "acme/shop#57", ...over.spec },
  });
}

const failed = (name: string, over: TaskOverrides = {}): AgentTask =>
  atChange(name, { ...over, source: { object: { type: "CheckSuite", id: name, headSHA: commit } } });

/** Facts of a task at the change; the chat maps these people. */
function among(task: AgentTask, tasks: AgentTask[], people: typeof mapped = mapped): TaskFacts {
  const github = anIntegration();
  const chat = { ...github, spec: { ...github.spec, access: { ...github.spec.access, people } } };
  const integrationOf = ({ spec }: AgentTask) => (spec.integrationRef.kind === "SlackApp" ? chat : github);
  return facts({ task, tasks: [...tasks, task], integration: github, integrationOf });
}

describe("a task at a change that was requested in a chat", () => {
  it("belongs to the conversation of the chat, and continues on its branch", () => {
    const tasks = taskCacheOf([work]);
    expect(resolveConversation(atChange("comment"), tasks)).toEqual({ instance: "T1 SlackApp/chat", name: "C1/100.1" });
    const settled = { ...atChange("comment"), status: thread };
    expect(branchBefore(settled, tasks)).toMatchObject({ branch: "bellhop/fix", changeNumber: 57 });
    expect(branchBefore({ ...settled, status: { ...thread, conversationInstance: "T2" } }, tasks)).toBeUndefined();
    expect(repositoryOf(settled)?.id).toBe(shop.id);
  });

  it("does not belong to a conversation of the chat that only has the same name as its own", () => {
    const fresh = atChange("fresh", { source: { subject: { type: "Issue", key: "acme/shop#9", number: 9 } } });
    const own = { ...fresh, spec: { ...fresh.spec, conversation: "C1/100.1" } };
    const message = aThreadTask({ name: "message" });
    const found = tasksOf(
      { instance: "T1 SlackApp/chat", name: "C1/100.1" },
      message,
      taskCacheOf([work, own, message]),
    );
    expect(found.map(({ metadata }) => metadata.name).toSorted()).toEqual(["message", "work"]);
  });

  it("may stop the run for its requester without write access, known by their account at the code host", () => {
    const running = aThreadTask({
      name: "running",
      conditions: ["Authorized", "Approved", "Admitted"],
      status: { ...thread, repository: shop },
    });
    const verdict = (id: string, people = mapped): string | undefined => {
      const stop = atChange("stop", { actor: { id, login: "somebody" }, spec: { command: "stop" } });
      const reading = {
        reread: {
          found: true as const,
          actor: { id, login: "somebody", isBot: false },
          text: "stop",
          subjectKey: subject.key,
          editedAfter: false,
          private: false,
        },
        grant: { allowed: false, isBot: false, login: "somebody", has: "read access", needs: "write access" },
      };
      return authorise.decide(among(stop, [work, running], people), reading, noon).conditions?.[0]?.reason;
    };
    expect(verdict("900")).toBe("OwnWork");
    expect(verdict("901")).toBe("NotAuthorized");
    expect(verdict("900", [])).toBe("NotAuthorized");
  });
});

describe("failed checks on a commit that was requested in a chat", () => {
  const reread = {
    found: true as const,
    actor: { id: "1", login: "ci[bot]", isBot: true },
    text: undefined,
    subjectKey: subject.key,
    editedAfter: false,
    private: false,
  };

  it("are fixed on behalf of the requester's account at the code host, in the conversation of the chat", async () => {
    const known = among(failed("check"), [work]);
    const asked: unknown[] = [];
    const connection = aConnection({
      authorizer: {
        may: async ({ actor }) => {
          asked.push(actor);
          return { allowed: true, isBot: false, login: actor.login, has: "write access", needs: "write access" };
        },
      },
      source: { reread: async () => reread, gather: async () => [] },
    });
    const reading = await authorise.gather(stepContext({ facts: known, connection: async () => connection }));
    const ana = { id: "900", login: "ana-dev" };
    expect(asked).toEqual([ana]);
    expect(authorise.decide(known, reading, noon)).toMatchObject({
      conditions: [{ status: "True", message: "@ana-dev has write access." }],
      fields: { ...thread, requester: ana },
    });
  });

  it("are refused without an entry for the requester: an id of the chat would be another person at the code host", async () => {
    const known = among(failed("check"), [work], []);
    // Nothing may connect: there is nobody to ask about.
    const reading = await authorise.gather(stepContext({ facts: known }));
    expect(authorise.decide(known, reading, noon).conditions).toMatchObject([
      { status: "False", reason: "NotAuthorized", message: expect.stringContaining("spec.access.people") as string },
    ]);
  });

  it("count each fix of the conversation", () => {
    const first = failed("first", { conditions: ["Authorized"] });
    const earlier = { ...first, status: { ...first.status, ...thread } };
    expect(fixesBefore(failed("check"), work, taskCacheOf([work, earlier, failed("check")]))).toBe(1);
  });
});
