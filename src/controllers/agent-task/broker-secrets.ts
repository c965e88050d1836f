import { manager, names } from "../../api/annotations.ts";
import type { AgentTask } from "../../api/kinds.ts";
import type { CodeHost, GitCredential, RepositoryRef } from "../../integrations/code-host.ts";
import { isAlreadyExists, isNotFound } from "../../kube/errors.ts";
import { secrets, type Secret } from "../../kube/resources.ts";
import type { Draft, KubeClient } from "../../kube/types.ts";
import type { Clock } from "../../shared/clock.ts";
import { BellhopError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import { secretRegistry } from "../../shared/redact.ts";
import { repositoryOf } from "./state.ts";

/** Manages the short-lived git tokens of tasks, in Secrets `task-<uid>` of the broker's namespace. Every method is idempotent. */
export interface TaskCredentials {
  /** When the fetch token has to be renewed; undefined if there is none. From memory. */
  refreshAt(task: AgentTask): Date | undefined;
  /** Mints the fetch token if it is missing or expires soon, and stores it for the broker. */
  ensureFetch(task: AgentTask, host: CodeHost, signal: AbortSignal): Promise<void>;
  /** Mints the push token and stores it beside the fetch token; called only after the output policy allowed the push. */
  allowPush(task: AgentTask, host: CodeHost, signal: AbortSignal): Promise<void>;
  /** Whether the broker's namespace still has tokens of the task. From memory. */
  holds(task: AgentTask): boolean;
  /** Revokes both tokens if `host` is given, then deletes the Secret. Throws if the provider does not answer; the Secret then stays. */
  revoke(task: AgentTask, host: CodeHost | undefined, signal: AbortSignal): Promise<void>;
}

/** Names of the files in a task's Secret; the broker reads them. */
export const credentialFiles = { fetch: "fetch.json", push: "push.json" } as const;

/** Content of each file, as JSON. */
export interface StoredCredential extends GitCredential {
  /** Where to fetch from and push to, https, without credentials. */
  cloneURL: string;
}

/** Dependencies of the token keeper. */
export interface TaskCredentialsDeps {
  kube: Pick<KubeClient, "find" | "list" | "create" | "replace" | "delete">;
  brokerNamespace: string;
  clock: Clock;
  log: Logger;
}

/** The token keeper with its start-up and periodic methods. */
export interface TaskCredentialsKeeper extends TaskCredentials {
  /** Reads the existing Secrets; call when leadership begins, before the workers start. */
  load(signal: AbortSignal): Promise<void>;
  /**
   * Deletes the Secrets of tasks that do not exist any more; call it periodically. `isAlive` returns whether a task with this uid exists.
   */
  sweep(isAlive: (uid: string) => boolean, signal: AbortSignal): Promise<void>;
}

/** A token is renewed when it expires in less than this time. */
const refreshBeforeMs = 10 * 60_000;
/** A younger Secret may belong to a task that the cache does not show yet, so it is not deleted. */
const sweepAfterMs = 10 * 60_000;

/** Creates the token keeper. Only the leader writes these Secrets, so its memory agrees with the API server. */
export function createTaskCredentials(deps: TaskCredentialsDeps): TaskCredentialsKeeper {
  return new CredentialsKeeper(deps);
}

/** The Secret of a task, as this leader knows it. */
interface Held {
  /** When the fetch token has to be renewed, in milliseconds since the epoch; 0 if there is none. */
  refreshAtMs: number;
  /** As last written or read; undefined after a failed write, which may have succeeded. */
  secret?: Secret | undefined;
}

class CredentialsKeeper implements TaskCredentialsKeeper {
  readonly #deps: TaskCredentialsDeps;
  /** By the uid of the task. A task that is not here has no Secret. */
  readonly #held = new Map<string, Held>();

  constructor(deps: TaskCredentialsDeps) {
    this.#deps = deps;
  }

  async load(signal: AbortSignal): Promise<void> {
    for (const secret of await this.#list(signal)) {
      const refreshAtMs = refreshMs(parseCredential(secret, credentialFiles.fetch), this.#nowMs());
      this.#held.set(ownerOf(secret), { refreshAtMs, secret });
    }
  }

  refreshAt(task: AgentTask): Date | undefined {
    const held = this.#held.get(uidOf(task));
    return held && new Date(held.refreshAtMs);
  }

  holds(task: AgentTask): boolean {
    return this.#held.has(uidOf(task));
  }

  async ensureFetch(task: AgentTask, host: CodeHost, signal: AbortSignal): Promise<void> {
    if (this.#refreshAtMs(task) > this.#nowMs()) return;
    const before = parseCredential(await this.#find(task, signal), credentialFiles.fetch);
    const credential = await this.#mintAndStore(task, host, "read", signal);
    const refreshAtMs = refreshMs(credential, this.#nowMs());
    this.#held.set(uidOf(task), { ...this.#held.get(uidOf(task)), refreshAtMs });
    if (before && before.password !== credential.password) await this.#retire(task, host, before.password, signal);
  }

  async allowPush(task: AgentTask, host: CodeHost, signal: AbortSignal): Promise<void> {
    const stored = parseCredential(await this.#find(task, signal), credentialFiles.push);
    if (refreshMs(stored, this.#nowMs()) > this.#nowMs()) return;
    await this.#mintAndStore(task, host, "write", signal);
  }

  async revoke(task: AgentTask, host: CodeHost | undefined, signal: AbortSignal): Promise<void> {
    // Not from memory: a former leader may have stored a token after this one read the Secrets.
    const secret = await this.#read(task, signal);
    const tokens = Object.values(credentialFiles).flatMap((file) => parseCredential(secret, file)?.password ?? []);
    // Revoke before the deletion: only the Secret has the token, so a failure in between can be retried.
    for (const token of host ? new Set(tokens) : []) await host?.revokeToken(token, signal);
    if (secret) await this.#deps.kube.delete(secrets, secret.metadata, { signal });
    this.#held.delete(uidOf(task));
  }

  async sweep(isAlive: (uid: string) => boolean, signal: AbortSignal): Promise<void> {
    for (const secret of await this.#list(signal)) {
      const uid = ownerOf(secret);
      const ageMs = this.#nowMs() - Date.parse(secret.metadata.creationTimestamp ?? "");
      if (isAlive(uid) || ageMs < sweepAfterMs) continue;
      this.#deps.log.info(
        { secret: secret.metadata.name },
        "deleted the tokens of a task that does not exist any more",
      );
      await this.#deps.kube.delete(secrets, secret.metadata, { signal });
      this.#held.delete(uid);
    }
  }

  /** Revokes a token that is no longer used; if that fails, it expires by itself. */
  async #retire(task: AgentTask, host: CodeHost, token: string, signal: AbortSignal): Promise<void> {
    try {
      await host.revokeToken(token, signal);
    } catch (error) {
      const { namespace, name } = task.metadata;
      this.#deps.log.warn(
        { namespace, task: name, error },
        "could not revoke a token that is no longer used; it expires by itself",
      );
    }
  }

  /** Mints and stores a token. If it cannot be stored, it is revoked at once, because no other copy exists. */
  async #mintAndStore(
    task: AgentTask,
    host: CodeHost,
    access: "read" | "write",
    signal: AbortSignal,
  ): Promise<StoredCredential> {
    const repository = requireRepository(task);
    const { cloneURL } = await host.repository(repository, signal);
    const credential = { ...(await host.mintToken(repository, access, signal)), cloneURL };
    const file = access === "read" ? credentialFiles.fetch : credentialFiles.push;
    try {
      await this.#store(task, file, credential, signal);
      return credential;
    } catch (error) {
      // Read again: the write may have succeeded although its answer was lost.
      const stored = parseCredential(await this.#find(task, signal), file);
      if (stored?.password !== credential.password) await this.#retire(task, host, credential.password, signal);
      throw error;
    }
  }

  async #store(task: AgentTask, file: string, credential: StoredCredential, signal: AbortSignal): Promise<void> {
    const data = { [file]: Buffer.from(JSON.stringify(credential)).toString("base64") };
    const existing = await this.#find(task, signal);
    const refreshAtMs = this.#refreshAtMs(task);
    this.#held.set(uidOf(task), { refreshAtMs });
    this.#held.set(uidOf(task), { refreshAtMs, secret: await this.#write(task, existing, data, signal) });
  }

  async #write(
    task: AgentTask,
    existing: Secret | undefined,
    data: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Secret> {
    const { kube } = this.#deps;
    if (existing) return kube.replace(secrets, { ...existing, data: { ...existing.data, ...data } }, { signal });
    try {
      return await kube.create(secrets, this.#draft(task, data), { signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      throw new BellhopError(
        "CredentialsRaced",
        `Secret ${secretName(task)} was created by somebody else in the meantime.`,
        {
          retryable: true,
          cause: error,
        },
      );
    }
  }

  #draft(task: AgentTask, data: Record<string, string>): Draft<Secret> {
    return {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: secretName(task),
        namespace: this.#deps.brokerNamespace,
        labels: { [names.ownerUID]: uidOf(task), [names.managedBy]: manager },
        annotations: { [names.task]: `${task.metadata.namespace}/${task.metadata.name}` },
      },
      type: "Opaque",
      data,
    };
  }

  #refreshAtMs(task: AgentTask): number {
    return this.#held.get(uidOf(task))?.refreshAtMs ?? 0;
  }

  async #find(task: AgentTask, signal: AbortSignal): Promise<Secret | undefined> {
    const held = this.#held.get(uidOf(task));
    return held && (held.secret ?? this.#read(task, signal));
  }

  async #read(task: AgentTask, signal: AbortSignal): Promise<Secret | undefined> {
    const key = { namespace: this.#deps.brokerNamespace, name: secretName(task) };
    try {
      return await this.#deps.kube.find(secrets, key, signal);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #list(signal: AbortSignal): Promise<Secret[]> {
    const labelSelector = `${names.ownerUID},${names.managedBy}=${manager}`;
    const { items } = await this.#deps.kube.list(secrets, {
      namespace: this.#deps.brokerNamespace,
      labelSelector,
      signal,
    });
    return items.filter(({ metadata }) => metadata.name.startsWith("task-"));
  }

  #nowMs(): number {
    return this.#deps.clock.now().getTime();
  }
}

/** Name of a task's Secret; the broker uses the same name. */
export function secretName(task: AgentTask): string {
  return `task-${uidOf(task)}`;
}

function uidOf(task: AgentTask): string {
  const { uid, name } = task.metadata;
  if (uid === undefined) throw new TypeError(`task ${name} has no uid`);
  return uid;
}

function ownerOf(secret: Secret): string {
  return secret.metadata.labels?.[names.ownerUID] ?? "";
}

function requireRepository(task: AgentTask): RepositoryRef {
  const repository = repositoryOf(task);
  if (!repository) throw new TypeError(`task ${task.metadata.name} has no repository`);
  return repository;
}

/** When a token has to be renewed: 10 minutes before it expires, or at half its lifetime if that is under 20 minutes; 0 if there is no token. */
function refreshMs(credential: StoredCredential | undefined, nowMs: number): number {
  if (!credential) return 0;
  const endMs = Date.parse(credential.expiresAt);
  if (Number.isNaN(endMs)) return 0;
  return Math.max(
    endMs - refreshBeforeMs,
    nowMs + Math.floor((endMs - nowMs) / 2) * Number(endMs - nowMs < 2 * refreshBeforeMs),
  );
}

function parseCredential(secret: Secret | undefined, file: string): StoredCredential | undefined {
  const text = secret?.data?.[file];
  if (text === undefined) return undefined;
  try {
    const stored = JSON.parse(Buffer.from(text, "base64").toString()) as StoredCredential;
    secretRegistry.add(stored.password);
    return stored;
  } catch {
    // Invalid content counts as missing: the file is written again.
    return undefined;
  }
}
