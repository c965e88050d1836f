import type { Guardrails } from "../agent-profile/decide.ts";

/** Limits and retention times of tasks; one object of the operator's configuration. */
export interface AgentTaskConfig {
  /** Base URL (https) under which sandboxes reach the broker. */
  brokerURL: string;
  /** The broker's namespace, which holds the tokens of each task. */
  brokerNamespace: string;
  /** Maximum number of sandboxes of one task, including the first. */
  maxAttempts: number;
  /** Maximum number of tasks that run at once: in one namespace, and in the whole installation. */
  concurrency: { perNamespace: number; cluster: number };
  /** Limits for every profile; checked before each sandbox. */
  guardrails: Guardrails;
  /** The oldest task that waits longer than this reserves a place in every limit it needs, so that others cannot overtake it for ever. */
  reserveAfterMs: number;
  /** How long the courier may still publish after the task's time limit, before the pod is removed. */
  publishBudgetMs: number;
  retention: {
    /** Pods of tasks that succeeded. */
    podMs: number;
    /** Pods of tasks that did not succeed. */
    failedPodMs: number;
    /** Tasks; a task with work in a change stays until the change is closed. */
    taskMs: number;
    /** How long a task stays while the state of its change cannot be read, from the first failed read. */
    unknownChangeMs: number;
  };
  /** How long the deletion of a task waits for a provider that does not answer; then it continues with a warning. */
  finalizeMs: number;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Defaults; `brokerURL` and `brokerNamespace` have none. */
export const defaultConfig: Omit<AgentTaskConfig, "brokerURL" | "brokerNamespace"> = {
  maxAttempts: 3,
  concurrency: { perNamespace: 20, cluster: 50 },
  guardrails: { images: [] },
  reserveAfterMs: 10 * minuteMs,
  publishBudgetMs: 2 * minuteMs,
  retention: { podMs: 60 * minuteMs, failedPodMs: dayMs, taskMs: 7 * dayMs, unknownChangeMs: 30 * dayMs },
  finalizeMs: 10 * minuteMs,
};
