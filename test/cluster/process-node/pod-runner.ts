import { mkdir, rm } from "node:fs/promises";
import type { Pod } from "../../../src/kube/resources.ts";
import { describeError } from "../../../src/shared/errors.ts";
import type { Logger } from "../../../src/shared/log.ts";
import { launchOf, type PodPlaces } from "./container-launch.ts";
import { type ContainerProcess, launch, startError } from "./container-process.ts";
import { podStatus, seconds, type Verdict } from "./status.ts";
import { StatusWriter } from "./status-writer.ts";
import { sweep } from "./sweep.ts";
import { keepTokens, type TokenDeps, waited } from "./tokens.ts";
import { type ContainerRecord, recordsOf, type Terminated } from "./types.ts";
import { unsupported } from "./unsupported.ts";
import { prepareVolumes } from "./volumes.ts";

const retryMs = 500;
const maxRestartDelayMs = 10_000;

/** Dependencies of a runner. */
export interface PodRunnerDeps {
  places: PodPlaces;
  tokens: TokenDeps;
  log: Logger;
}

/** A request to end a pod: the time that its containers get, and the status of the pod afterwards. */
export interface Termination {
  graceSeconds: number;
  verdict?: Verdict;
}

/** Runs one pod from its start to its end: volumes, init containers and sidecars in order, main containers, status. */
export class PodRunner {
  readonly #deps: PodRunnerDeps;
  readonly #pod: Pod;
  readonly #records: ContainerRecord[];
  readonly #status: StatusWriter;
  readonly #startTime = seconds(new Date());
  readonly #processes = new Map<ContainerRecord, ContainerProcess>();
  readonly #sidecars: { record: ContainerRecord; done: Promise<void> }[] = [];
  /** Aborted when the pod must end. */
  readonly #terminating = new AbortController();
  /** Aborted when the sidecars must end. */
  readonly #stopSidecars = new AbortController();
  /** Aborted when no process of the pod runs any more. */
  readonly #ended = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();
  #verdict: Verdict = {};
  /** The pod's status after a termination; it replaces the status that follows from the containers' results. */
  #terminationVerdict: Verdict | undefined;
  #killAtMs = Infinity;
  #killing = false;
  finished = false;

  constructor(deps: PodRunnerDeps, pod: Pod) {
    this.#deps = deps;
    this.#pod = pod;
    this.#records = recordsOf(pod);
    this.#status = new StatusWriter({ client: deps.places.client, log: deps.log }, pod, (before) =>
      podStatus(before, this.#records, { startTime: this.#startTime, verdict: this.#verdict, now: new Date() }),
    );
  }

  /** Runs the pod. Resolves when its last status is written and none of its processes runs any more. Never rejects. */
  async run(): Promise<void> {
    const { places, log } = this.#deps;
    let verdict: Verdict;
    try {
      verdict = await this.#runContainers();
    } catch (error) {
      log.error({ error, pod: this.#pod.metadata.name }, "running a pod failed");
      verdict = { phase: "Failed", reason: "ProcessNodeError", message: describeError(error) };
    }
    this.#killAll();
    await this.#endSidecars();
    this.#ended.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    sweep(places.mark);
    this.#verdict = verdict;
    this.#status.publish();
    await this.#status.flush();
    await rm(places.folder, { recursive: true, force: true });
    this.finished = true;
  }

  /** Begins to end the pod. A second call can only shorten the time; the `verdict` of the first call counts. */
  terminate({ graceSeconds, verdict }: Termination): void {
    if (!this.#terminating.signal.aborted) {
      this.#terminationVerdict = verdict;
      this.#terminating.abort();
      for (const [record, process] of this.#processes) if (record.role !== "sidecar") process.signal("SIGTERM");
    }
    const killAtMs = performance.now() + graceSeconds * 1000;
    if (killAtMs >= this.#killAtMs) return;
    this.#killAtMs = killAtMs;
    this.#later(graceSeconds * 1000, () => this.#killAll(true));
  }

  async #runContainers(): Promise<Verdict> {
    const { places, tokens } = this.#deps;
    const refusal = unsupported(this.#pod);
    if (refusal !== undefined) return { phase: "Failed", reason: "UnsupportedByProcessNode", message: refusal };
    // Written before any container runs: a restarted node recognises a pod that was started by its start time.
    this.#status.publish();
    await this.#status.flush();
    this.#armDeadline();
    await mkdir(places.logs, { recursive: true });
    const prepare = async (): Promise<void> =>
      keepTokens(tokens, this.#pod, await prepareVolumes(places.volumes, this.#pod), this.#ended.signal);
    await this.#retry(prepare, this.#terminating.signal);
    const initialized = await this.#initialize();
    const endings = initialized ? await this.#runMains() : [];
    await this.#endSidecars();
    const succeeded = endings.length > 0 && endings.every((ending) => ending?.exitCode === 0);
    return this.#terminationVerdict ?? { phase: succeeded ? "Succeeded" : "Failed" };
  }

  async #initialize(): Promise<boolean> {
    for (const record of this.#records.filter(({ role }) => role !== "main")) {
      const process = await this.#start(record);
      if (!process) return false;
      if (record.role === "sidecar") this.#sidecars.push({ record, done: this.#supervise(record, process) });
      else if ((await this.#ending(record, process)).exitCode !== 0) return false;
    }
    return !this.#terminating.signal.aborted;
  }

  async #runMains(): Promise<(Terminated | undefined)[]> {
    const mains = this.#records.filter(({ role }) => role === "main");
    for (const record of mains) record.state = { waiting: { reason: "ContainerCreating" } };
    return Promise.all(
      mains.map(async (record) => {
        const process = await this.#start(record);
        return process && this.#ending(record, process);
      }),
    );
  }

  /** Starts a container; returns undefined if `stop` is aborted first. */
  async #start(record: ContainerRecord, stop = this.#terminating.signal): Promise<ContainerProcess | undefined> {
    const options = await this.#retry(() => launchOf(this.#deps.places, this.#pod, record), stop, record);
    if (stop.aborted) return undefined;
    const process = options
      ? launch(options)
      : { startedAt: "", signal: () => undefined, ended: Promise.resolve(noCommand(record)) };
    this.#processes.set(record, process);
    record.state = { running: { startedAt: process.startedAt || seconds(new Date()) } };
    this.#status.publish();
    return process;
  }

  async #ending(record: ContainerRecord, process: ContainerProcess): Promise<Terminated> {
    const terminated = await process.ended;
    this.#processes.delete(record);
    record.state = { terminated };
    this.#status.publish();
    return terminated;
  }

  /** Restarts a sidecar while the main containers run: the first time at once, then with growing delays. */
  async #supervise(record: ContainerRecord, first: ContainerProcess): Promise<void> {
    const stop = AbortSignal.any([this.#terminating.signal, this.#stopSidecars.signal]);
    let process: ContainerProcess | undefined = first;
    for (let delayMs = 0; process; delayMs = Math.min(delayMs * 2 || 1000, maxRestartDelayMs)) {
      const terminated = await this.#ending(record, process);
      if (stop.aborted) return;
      record.lastState = { terminated };
      record.state = { waiting: { reason: "CrashLoopBackOff", message: `restarting in ${delayMs / 1000} s` } };
      this.#status.publish();
      const again = await waited(delayMs, stop);
      record.restartCount += again ? 1 : 0;
      process = again && !stop.aborted ? await this.#start(record, stop) : undefined;
      if (!process) record.state = { terminated };
    }
  }

  /** Ends the sidecars one after the other, the last one first, as kubelets do. */
  async #endSidecars(): Promise<void> {
    if (!this.#terminating.signal.aborted) {
      const graceMs = (this.#pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
      this.#later(graceMs, () => this.#killAll(true));
    }
    this.#stopSidecars.abort();
    for (const { record, done } of this.#sidecars.splice(0).toReversed()) {
      this.#processes.get(record)?.signal(this.#killing ? "SIGKILL" : "SIGTERM");
      await done;
    }
  }

  /** Kills init and main containers; with `everything` also the sidecars. */
  #killAll(everything = false): void {
    this.#killing ||= everything;
    for (const [record, process] of this.#processes)
      if (everything || record.role !== "sidecar") process.signal("SIGKILL");
  }

  #armDeadline(): void {
    const limit = this.#pod.spec?.activeDeadlineSeconds;
    if (limit === undefined) return;
    const message = "Pod was active on the node longer than the specified deadline";
    const verdict: Verdict = { phase: "Failed", reason: "DeadlineExceeded", message };
    const graceSeconds = this.#pod.spec?.terminationGracePeriodSeconds ?? 30;
    this.#later(limit * 1000, () => this.terminate({ graceSeconds, verdict }));
  }

  /** Retries until the attempt succeeds or `stop` is aborted. Meanwhile the status of the pod, or of one container, shows the error. */
  async #retry<T>(attempt: () => Promise<T>, stop: AbortSignal, only?: ContainerRecord): Promise<T | undefined> {
    const reason = only ? "CreateContainerConfigError" : "ContainerCreating";
    do {
      try {
        return await attempt();
      } catch (error) {
        const message = describeError(error);
        for (const record of only ? [only] : this.#records) record.state = { waiting: { reason, message } };
        this.#status.publish();
      }
    } while (await waited(retryMs, stop));
    return undefined;
  }

  #later(delayMs: number, callback: () => void): void {
    this.#timers.add(setTimeout(callback, delayMs));
  }
}

function noCommand({ container }: ContainerRecord): Terminated {
  return startError(
    `container ${container.name} has no command: the process node ignores images, so name the command in the pod`,
  );
}
