import { describe, expect, it } from "vitest";
import type { AgentTask } from "../../../api/kinds.ts";
import type { Integration } from "../../../integrations/integration.ts";
import { FakeClock } from "../../../shared/fake-clock.ts";
import { aProfile, aTask, anIntegration, aThreadTask, shop, taskCacheOf, type TaskOverrides } from "../testing.ts";
import { createAdmission, type Admission } from "./loop.ts";

const at = (second: number): string => `2026-03-01T12:00:0${second}Z`;
const ready = { conditions: ["Authorized", "Approved"], status: { repository: shop } } as const;
const waiting = (name: string, second: number, over: TaskOverrides = {}): AgentTask =>
  aThreadTask({ name, createdAt: at(second), ...ready, conditions: [...ready.conditions], ...over });

interface Given {
  codeHost?: (task: AgentTask) => Integration | undefined;
  onCheck?: () => void;
}

/** An admission loop that has made one pass over the tasks. */
async function admissionOf(tasks: AgentTask[], { codeHost = () => anIntegration(), onCheck }: Given = {}) {
  const clock = new FakeClock();
  const admission = createAdmission({
    tasks: taskCacheOf(tasks),
    integration: () => anIntegration({ concurrency: { tasks: 1 } }),
    codeHostIntegration: codeHost,
    profile: () => {
      onCheck?.();
      return aProfile();
    },
    clock,
    config: { concurrency: { perNamespace: 10, cluster: 10 }, guardrails: { images: [] }, reserveAfterMs: 600_000 },
  });
  admission.changed();
  await clock.advance(20);
  return admission;
}

const states = (admission: Admission, tasks: AgentTask[]): string[] =>
  tasks.map((task) => admission.verdict(task).state);

describe("admission of work from threads", () => {
  it("runs one task of a thread at a time, in the order of receipt", async () => {
    const tasks = [waiting("second", 2), waiting("first", 1)];
    const admission = await admissionOf(tasks);
    expect(states(admission, tasks)).toEqual(["Waiting", "Admitted"]);
  });

  it("lets earlier work of the thread that is not authorised yet go first", async () => {
    const earlier = waiting("earlier", 1, { conditions: [], status: {} });
    const later = waiting("later", 2);
    expect(states(await admissionOf([earlier, later]), [later])).toEqual(["Waiting"]);
    const elsewhere = waiting("elsewhere", 1, { conditions: [], status: {}, spec: { conversation: "C1/7.7" } });
    expect(states(await admissionOf([elsewhere, later]), [later])).toEqual(["Admitted"]);
    const otherTeam = waiting("other", 1, { conditions: [], status: {}, source: { instance: "T2" } });
    expect(states(await admissionOf([otherTeam, later]), [later])).toEqual(["Admitted"]);
  });

  it("runs no comment on the change of a thread beside the thread's work, and lets earlier work of either go first", async () => {
    const status = { conversation: "C1/100.1", conversationInstance: "T1 SlackApp/chat" };
    const source = { instance: "github.com", subject: { type: "Change", key: "acme/shop#57", number: 57 } } as const;
    const commented = (name: string, second: number, over: TaskOverrides = {}): AgentTask =>
      aTask({ name, createdAt: at(second), conditions: ["Authorized"], source, status, ...over });
    const both = [commented("comment", 2), waiting("message", 1)];
    expect(states(await admissionOf(both), both)).toEqual(["Waiting", "Admitted"]);

    const unauthorised = waiting("message", 1, { conditions: [], status: {} });
    const later = commented("comment", 2);
    expect(states(await admissionOf([unauthorised, later]), [later])).toEqual(["Waiting"]);

    const result = { changeNumber: 57 };
    const opener = waiting("opener", 0, {
      conditions: ["Authorized", "Succeeded"],
      status: { repository: shop, result },
    });
    const early = commented("comment", 1, { conditions: [], status: {} });
    const message = waiting("message", 2);
    expect(states(await admissionOf([opener, early, message]), [message])).toEqual(["Waiting"]);
  });

  it.each<{ name: string; over: TaskOverrides }>([
    { name: "whose repository is not known", over: { status: {} } },
    { name: "that nobody approved", over: { conditions: ["Authorized"] } },
    {
      name: "that waits for an approval",
      over: { conditions: ["Authorized", { type: "Approved", status: "Unknown" }] },
    },
  ])("gives no slot to work $name, and none of its limit", async ({ over }) => {
    const held = waiting("held", 1, { ...over, spec: { conversation: "C1/7.7" } });
    const free = waiting("free", 2);
    expect(states(await admissionOf([held, free]), [held, free])).toEqual(["Unknown", "Admitted"]);
  });

  it("gives no slot to work whose code host does not exist", async () => {
    const held = waiting("held", 1, { spec: { conversation: "C1/7.7" } });
    const free = waiting("free", 2);
    const codeHost = ({ metadata }: AgentTask) => (metadata.name === "held" ? undefined : anIntegration());
    expect(states(await admissionOf([held, free], { codeHost }), [held, free])).toEqual(["Unknown", "Admitted"]);
  });

  it("checks each task of a long thread a few times, however many wait in it or are not authorised yet", async () => {
    let checks = 0;
    const many = (prefix: string, over: TaskOverrides = {}): AgentTask[] =>
      Array.from({ length: 500 }, (_, n) => waiting(`${prefix}-${n}`, 1, over));
    await admissionOf([...many("waiting"), ...many("unauthorised", { conditions: [], status: {} })], {
      onCheck: () => (checks += 1),
    });
    expect(checks).toBeGreaterThan(1_000);
    expect(checks).toBeLessThan(3_000);
  });
});
