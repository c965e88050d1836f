import { AgentTaskKind, type AgentTask } from "../api/kinds.ts";
import { ApiError, isAlreadyExists, isNamespaceTerminating, isNotFound, isQuotaExceeded } from "../kube/errors.ts";
import type { Draft, KubeClient } from "../kube/types.ts";
import { describeError } from "../shared/errors.ts";

/** What became of storing a task. Only `created` and `exists` mean that it is stored. */
export type StoreResult =
  | { result: "created" }
  | { result: "exists" }
  | { result: "ignored"; reason: string; message: string }
  | {
      result: "notStored";
      reason: "QuotaExceeded" | "NotStored";
      message: string;
      detail: string;
      retryAfterMs?: number;
    }
  | { result: "invalid"; reason: "Invalid" | "TaskTooLarge"; message: string; detail: string };

/**
 * Stores a task. This one call is durability and deduplication: the name is the cause, so what is there already is the
 * same thing told again. A time-out says nothing about what was stored; the next delivery of it will find out.
 */
export async function createTask(
  client: Pick<KubeClient, "create">,
  task: Draft<AgentTask>,
  signal: AbortSignal,
): Promise<StoreResult> {
  try {
    await client.create(AgentTaskKind, task, { signal });
    return { result: "created" };
  } catch (error) {
    return failureOf(error);
  }
}

function failureOf(error: unknown): StoreResult {
  if (isAlreadyExists(error)) return { result: "exists" };
  if (isNamespaceTerminating(error)) return gone("The integration's namespace is being deleted.");
  if (isNamespaceMissing(error)) return gone("The integration's namespace is gone.");
  const detail = describeError(error);
  const status = error instanceof ApiError ? error.status : 0;
  if (status === 413)
    return { result: "invalid", reason: "TaskTooLarge", message: "The task is too large to store.", detail };
  if ((status === 422 || status === 400) && !lacksPolicyParameters(error)) {
    return {
      result: "invalid",
      reason: "Invalid",
      message: "The task was refused as invalid; this is a fault of Bellhop.",
      detail,
    };
  }
  return notStored(error, detail);
}

/** The admission policies refuse everything while their ConfigMap of accounts is gone: that passes, the task is not at fault. */
function lacksPolicyParameters(error: unknown): boolean {
  return error instanceof ApiError && error.says(/no params found for policy binding/);
}

function notStored(error: unknown, detail: string): StoreResult {
  if (isQuotaExceeded(error)) {
    const message = "The quota of AgentTasks in the integration's namespace is used up.";
    return { result: "notStored", reason: "QuotaExceeded", message, detail };
  }
  const retryAfterMs = error instanceof ApiError ? error.retryAfterMs : undefined;
  return {
    result: "notStored",
    reason: "NotStored",
    message: "The task could not be stored. Deliver this again later.",
    detail,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** The same status tells of a missing CRD, which is no reason to say that all is well. */
function isNamespaceMissing(error: unknown): boolean {
  return error instanceof ApiError && isNotFound(error) && error.says(/namespaces? ".*" not found/);
}

function gone(message: string): StoreResult {
  return { result: "ignored", reason: "NamespaceTerminating", message };
}
