import { describe, expect, it } from "vitest";
import type { AgentTask } from "../../../api/kinds.ts";
import { anIntegration, aProfile, aTask, aThreadTask } from "../testing.ts";
import { actorKey, aheadOf, limitsOf, unready } from "./requirements.ts";

describe("limits", () => {
  it("describe each maximum in a sentence with the field that sets it, the narrowest limit first", () => {
    const limits = limitsOf({
      task: aTask(),
      integration: anIntegration({ concurrency: { tasks: 10, perRepository: 5, perActor: 1 } }),
      profile: aProfile({ concurrency: { tasks: 4 } }),
      config: { concurrency: { perNamespace: 20, cluster: 50 } },
    });
    expect(limits.map(({ describe: words }) => words)).toEqual([
      "at most 1 task of @ana runs at once (integration shop, perActor)",
      "at most 5 tasks in acme/shop run at once (integration shop, perRepository)",
      "at most 10 tasks of integration shop run at once (concurrency.tasks)",
      "at most 4 tasks of profile default run at once (concurrency.tasks)",
      "at most 20 tasks in namespace team run at once",
      "at most 50 tasks in the whole installation run at once",
    ]);
  });

  it('show the first task in the queue as next in line, not as "0 ahead"', () => {
    expect([0, 1, 6].map(aheadOf)).toEqual(["next in line", "1 ahead", "6 ahead"]);
  });
});

describe("the key of a person", () => {
  const chat = (people: object[]) => {
    const integration = anIntegration();
    return {
      ...integration,
      spec: { ...integration.spec, access: { ...integration.spec.access, people } },
    } as typeof integration;
  };
  const mapped = chat([{ id: "U501", codeHost: { id: "501", login: "ana-dev" } }]);
  const asked = aThreadTask();

  it("is one for a Slack id and the account at the code host that the integration gives to it", () => {
    expect(actorKey(asked, mapped)).toBe(actorKey(aTask({ actor: { id: "501", login: "ana-dev" } }), anIntegration()));
    const [actor] = limitsOf({
      task: asked,
      integration: mapped,
      profile: undefined,
      config: { concurrency: { perNamespace: 1, cluster: 1 } },
    });
    expect(actor?.key).toBe("actor/team/GitHubIntegration/shop/501");
  });

  it("is the id of the chat for everybody else, even if an account has the same one", () => {
    const other = aThreadTask({ actor: { id: "501", login: "eve" } });
    expect(actorKey(other, mapped)).not.toBe(actorKey(aTask(), anIntegration()));
    expect(actorKey(asked, chat([]))).toBe("team/SlackApp/chat/U501");
  });

  it("is their own for a person of Kubernetes, whatever id the task names", () => {
    const forged = aThreadTask({ source: { provider: "kubernetes" } });
    expect(actorKey(forged, mapped)).toBe("team/SlackApp/chat/U501");
  });
});

describe("a suspended code host", () => {
  const check = (task: AgentTask) =>
    unready({
      task,
      integration: anIntegration(),
      codeHostIntegration: anIntegration({ suspend: true }),
      profile: aProfile(),
      guardrails: { images: [] },
    });

  it("takes no new work from a chat", () => {
    expect(check(aThreadTask())).toEqual({
      reason: "CodeHostSuspended",
      message:
        "GitHubIntegration shop, the code host of this task, is suspended (spec.suspend); the task waits until it is resumed.",
    });
  });

  it("goes on with what was requested there before", () => {
    expect(check(aTask())).toBeUndefined();
  });
});
