import { setTimeout as pause } from "node:timers/promises";
import type { AgentTask } from "../../src/api/kinds.ts";
import type { NetworkPolicy, Pod } from "../../src/kube/resources.ts";
import { ours, type Place } from "./place.ts";
import type { Timeline } from "./timeline.ts";

/** How long a task of the demo may take. */
const patienceMs = 120_000;

/** Follows a task until it is as wanted. Returns the task. */
export type Follow = (wanted: (task: AgentTask) => boolean) => Promise<AgentTask>;

/** Creates a function that follows a task, and prints each event once. */
export function followOf(place: Place, timeline: Timeline, name: string): Follow {
  const printed = new Set<string>();
  const once = (what: string, print: () => void): void => {
    if (printed.has(what)) return;
    printed.add(what);
    print();
  };
  return async (wanted) => {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const task = await place.api<AgentTask>(`${ours(place.namespace, "agenttasks")}/${name}`);
      if (task) await look(place, timeline, task, once);
      if (task && wanted(task)) return task;
      if (Date.now() > deadline) {
        const status = JSON.stringify(task?.status, undefined, 1);
        throw new Error(`task ${name} does not go on after ${patienceMs / 1000} s; its status: ${status}`);
      }
      await pause(150);
    }
  };
}

type Once = (what: string, print: () => void) => void;

async function look(place: Place, timeline: Timeline, task: AgentTask, once: Once): Promise<void> {
  const { phase, attempts, publish, result, report, progress } = task.status ?? {};
  if (phase) once(`phase ${phase}`, () => timeline.add(`phase ${phase}${because(task)}`));
  if (report?.url) once("report", () => timeline.add(`first report: ${report.url}`));
  for (const attempt of attempts ?? []) {
    if (attempt.podUID) await lookAtSandbox(place, timeline, attempt.podName, once);
  }
  if (progress?.step) once(`step ${progress.step}`, () => timeline.add(`the agent says: ${progress.step}`));
  if (publish) {
    once("publish", () => {
      const from = publish.oldId === undefined ? "a new branch" : publish.oldId.slice(0, 7);
      timeline.add(`push allowed: ${publish.ref}, ${from} to ${publish.newId.slice(0, 7)}`);
    });
  }
  if (result?.changeURL) once("change", () => timeline.add(`pull request: ${result.changeURL}`));
}

async function lookAtSandbox(place: Place, timeline: Timeline, name: string, once: Once): Promise<void> {
  const base = `/api/v1/namespaces/${place.namespace}/pods/${name}`;
  const pod = await place.api<Pod>(base);
  if (!pod?.spec?.nodeName) return;
  once(`pod ${name}`, () => timeline.add(`pod ${name} on node ${pod.spec?.nodeName ?? ""}`));
  const policies = await place.api<{ items: NetworkPolicy[] }>(
    `/apis/networking.k8s.io/v1/namespaces/${place.namespace}/networkpolicies`,
  );
  const owner = pod.metadata.ownerReferences?.[0]?.uid;
  for (const policy of policies?.items ?? []) {
    if (policy.metadata.ownerReferences?.[0]?.uid !== owner) continue;
    once(`policy ${policy.metadata.name}`, () => {
      timeline.add(`network policy ${policy.metadata.name}; no ingress, egress only to:`);
      timeline.show(JSON.stringify(policy.spec?.egress));
    });
  }
}

function because(task: AgentTask): string {
  const bad = task.status?.conditions?.find(({ status, reason }) => status === "False" && reason !== undefined);
  return bad ? ` (${bad.reason}: ${bad.message})` : "";
}

/** Whether the final report is posted: the task has ended, and its report is up to date. */
export function isReported(task: AgentTask): boolean {
  return task.status?.conditions?.some(({ type, status }) => type === "Reported" && status !== "Unknown") ?? false;
}
