import { AgentTaskKind, type AgentTask } from "../api/kinds.ts";
import { ApiError, isAlreadyExists, isNamespaceTerminating, isNotFound, isQuotaExceeded } from "../kube/errors.ts";
import type { Draft, KubeClient } from "../kube/types.ts";
import { describeError } from "../shared/errors.ts";
import { defined } from "../shared/defined.ts";

/** The result of storing a task. Only `created` and `exists` mean that the task is stored. */
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
 * Stores a task. This single call makes the task durable and removes duplicates: the task's name is derived from the cause,
 * so an existing task of that name has the same cause. After a time-out it is unknown whether the task was stored; the next
 * delivery of the same cause finds out.
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
  if (isNamespaceTerminating(error))
    return namespaceGone("The namespace of the integration is being deleted, so no task was created.");
  if (isNamespaceMissing(error))
    return namespaceGone("The namespace of the integration no longer exists, so no task was created.");
  const detail = describeError(error);
  const status = error instanceof ApiError ? error.status : 0;
  if (status === 413)
    return {
      result: "invalid",
      reason: "TaskTooLarge",
      message: "The API server rejected the AgentTask as too large.",
      detail,
    };
  if ((status === 422 || status === 400) && !lacksPolicyParameters(error)) {
    return {
      result: "invalid",
      reason: "Invalid",
      message: "The API server rejected the AgentTask as invalid. This is a bug in Bellhop; please report it.",
      detail,
    };
  }
  return notStored(error, detail);
}

/** The admission policies reject every object while the ConfigMap of accounts, their parameters, is missing. This is temporary and no fault of the task. */
function lacksPolicyParameters(error: unknown): boolean {
  return error instanceof ApiError && error.says(/no params found for policy binding/);
}

function notStored(error: unknown, detail: string): StoreResult {
  if (isQuotaExceeded(error)) {
    const message =
      "The quota of AgentTasks in the namespace of the integration is exhausted. Delete old tasks or raise the quota.";
    return { result: "notStored", reason: "QuotaExceeded", message, detail };
  }
  const retryAfterMs = error instanceof ApiError ? error.retryAfterMs : undefined;
  return {
    result: "notStored",
    reason: "NotStored",
    message: "Could not store the AgentTask. Send this delivery again later.",
    detail,
    ...defined({ retryAfterMs }),
  };
}

/** A missing CRD gives the same status 404, but then the delivery must be retried and not ignored. */
function isNamespaceMissing(error: unknown): boolean {
  return error instanceof ApiError && isNotFound(error) && error.says(/namespaces? ".*" not found/);
}

function namespaceGone(message: string): StoreResult {
  return { result: "ignored", reason: "NamespaceTerminating", message };
}
