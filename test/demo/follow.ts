import { setTimeout as pause } from "node:timers/promises";
import type { AgentTask } from "../../src/api/kinds.ts";
import type { NetworkPolicy, Pod } from "../../src/kube/resources.ts";
import { ours, type Place } from "./place.ts";
import type { Story } from "./say.ts";

/** How long a task of the demo may take. */
const patienceMs = 120_000;

/** Follows a task to its last word, telling each thing once as it is first seen. Gives the task as it is then. */
export async function follow(place: Place, story: Story, name: string): Promise<AgentTask> {
  const told = new Set<string>();
  const once = (what: string, tell: () => void): void => {
    if (told.has(what)) return;
    told.add(what);
    tell();
  };
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const task = await place.api<AgentTask>(`${ours(place.namespace, "agenttasks")}/${name}`);
    if (task) await look(place, story, task, once);
    if (task && isReported(task)) return task;
    if (Date.now() > deadline) {
      const status = JSON.stringify(task?.status, undefined, 1);
      throw new Error(`task ${name} was not done within ${patienceMs / 1000} s; last seen: ${status}`);
    }
    await pause(150);
  }
}

type Once = (what: string, tell: () => void) => void;

async function look(place: Place, story: Story, task: AgentTask, once: Once): Promise<void> {
  const { phase, attempts, publish, result, report, progress } = task.status ?? {};
  if (phase) once(`phase ${phase}`, () => story.tell(`phase ${phase}${because(task)}`));
  if (report?.url) once("report", () => story.tell(`first words on the issue: ${report.url}`));
  for (const attempt of attempts ?? []) {
    if (attempt.podUID) await lookAtSandbox(place, story, attempt.podName, once);
  }
  if (progress?.step) once(`step ${progress.step}`, () => story.tell(`the agent says: ${progress.step}`));
  if (publish) {
    once("publish", () => {
      const from = publish.oldId === undefined ? "a new branch" : publish.oldId.slice(0, 7);
      story.tell(`push let through: ${publish.ref}, ${from} to ${publish.newId.slice(0, 7)}`);
    });
  }
  if (result?.changeURL) once("change", () => story.tell(`pull request: ${result.changeURL}`));
}

async function lookAtSandbox(place: Place, story: Story, name: string, once: Once): Promise<void> {
  const base = `/api/v1/namespaces/${place.namespace}/pods/${name}`;
  const pod = await place.api<Pod>(base);
  if (!pod?.spec?.nodeName) return;
  once(`pod ${name}`, () => story.tell(`pod ${name} on node ${pod.spec?.nodeName ?? ""}`));
  const policies = await place.api<{ items: NetworkPolicy[] }>(
    `/apis/networking.k8s.io/v1/namespaces/${place.namespace}/networkpolicies`,
  );
  const owner = pod.metadata.ownerReferences?.[0]?.uid;
  for (const policy of policies?.items ?? []) {
    if (policy.metadata.ownerReferences?.[0]?.uid !== owner) continue;
    once(`policy ${policy.metadata.name}`, () => {
      story.tell(`network policy ${policy.metadata.name}: nothing in, out only to`);
      story.show(JSON.stringify(policy.spec?.egress));
    });
  }
}

function because(task: AgentTask): string {
  const bad = task.status?.conditions?.find(({ status, reason }) => status === "False" && reason !== undefined);
  return bad ? ` (${bad.reason}: ${bad.message})` : "";
}

/** The last word is said: the task has ended, and its message is up to date. */
export function isReported(task: AgentTask): boolean {
  return task.status?.conditions?.some(({ type }) => type === "Reported") ?? false;
}
