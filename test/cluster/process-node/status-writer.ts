import { ApiError, isConflict, isNotFound } from "../../../src/kube/errors.ts";
import { pods, type Pod } from "../../../src/kube/resources.ts";
import type { KubeClient } from "../../../src/kube/types.ts";
import { sleep, systemClock } from "../../../src/shared/clock.ts";
import type { Logger } from "../../../src/shared/log.ts";
import type { PodStatus } from "./types.ts";

/** Writes the status of one pod: one write at a time, always the newest status; waits while the API server is down. */
export class StatusWriter {
  readonly #client: KubeClient;
  readonly #log: Logger;
  readonly #pod: Pod;
  readonly #build: (before: PodStatus | undefined) => PodStatus;
  #dirty = false;
  #writing: Promise<void> | undefined;

  constructor(
    deps: { client: KubeClient; log: Logger },
    pod: Pod,
    build: (before: PodStatus | undefined) => PodStatus,
  ) {
    this.#client = deps.client;
    this.#log = deps.log;
    this.#pod = pod;
    this.#build = build;
  }

  /** Schedules a write of the status. The status is computed when the write begins. */
  publish(): void {
    this.#dirty = true;
    this.#writing ??= this.#drain().finally(() => (this.#writing = undefined));
  }

  /** Resolves when the published status is written, or the pod does not exist any more. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#dirty) {
      this.#dirty = false;
      try {
        await this.#write();
      } catch (error) {
        if (isNotFound(error)) return;
        await this.#failed(error);
      }
    }
  }

  async #write(): Promise<void> {
    const { name, namespace = "", uid } = this.#pod.metadata;
    const current = await this.#client.get(pods, { name, namespace });
    if (current.metadata.uid !== uid) return;
    await this.#client.replaceStatus(pods, { ...current, status: this.#build(current.status) });
  }

  async #failed(error: unknown): Promise<void> {
    if (!isConflict(error)) this.#log.warn({ error, pod: this.#pod.metadata.name }, "could not write a pod's status");
    // The server would refuse the same status again; a later status may be accepted.
    if (error instanceof ApiError && !error.retryable) return;
    this.#dirty = true;
    if (!isConflict(error)) await sleep(systemClock, 300);
  }
}
