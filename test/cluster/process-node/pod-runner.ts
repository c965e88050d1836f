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

/** Why a pod's containers are to end, and how long they may take. */
export interface Termination {
  graceSeconds: number;
  verdict?: Verdict;
}

/** One pod from its start to its end: volumes, init containers and sidecars in order, main containers, status. */
export class PodRunner {
  readonly #deps: PodRunnerDeps;
  readonly #pod: Pod;
  readonly #records: ContainerRecord[];
  readonly #status: StatusWriter;
  readonly #startTime = seconds(new Date());
  readonly #processes = new Map<ContainerRecord, ContainerProcess>();
  readonly #sidecars: { record: ContainerRecord; done: Promise<void> }[] = [];
  /** Aborted when the pod is asked to end. */
  readonly #halt = new AbortController();
  /** Aborted when the sidecars are. */
  readonly #wind = new AbortController();
  /** Aborted when nothing of the pod runs any more. */
  readonly #over = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();
  #verdict: Verdict = {};
  /** The verdict of a termination; it overrides the containers' own results. */
  #overruled: Verdict | undefined;
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

  /** Runs it; resolves when its last status is written and nothing of it runs any more. Never rejects. */
  async run(): Promise<void> {
    const { places, log } = this.#deps;
    let verdict: Verdict;
    try {
      verdict = await this.#live();
    } catch (error) {
      log.error({ error, pod: this.#pod.metadata.name }, "running a pod failed");
      verdict = { phase: "Failed", reason: "ProcessNodeError", message: describeError(error) };
    }
    this.#killAll();
    await this.#windDown();
    this.#over.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    sweep(places.mark);
    this.#verdict = verdict;
    this.#status.publish();
    await this.#status.flush();
    await rm(places.folder, { recursive: true, force: true });
    this.finished = true;
  }

  /** Asks it to end; asking again can only shorten the time. The first verdict counts. */
  terminate({ graceSeconds, verdict }: Termination): void {
    if (!this.#halt.signal.aborted) {
      this.#overruled = verdict;
      this.#halt.abort();
      for (const [record, process] of this.#processes) if (record.role !== "sidecar") process.signal("SIGTERM");
    }
    const killAtMs = performance.now() + graceSeconds * 1000;
    if (killAtMs >= this.#killAtMs) return;
    this.#killAtMs = killAtMs;
    this.#later(graceSeconds * 1000, () => this.#killAll(true));
  }

  async #live(): Promise<Verdict> {
    const { places, tokens } = this.#deps;
    const refusal = unsupported(this.#pod);
    if (refusal !== undefined) return { phase: "Failed", reason: "UnsupportedByProcessNode", message: refusal };
    // A restarted node recognises a started pod by its start time, which is written before anything runs.
    this.#status.publish();
    await this.#status.flush();
    this.#armDeadline();
    await mkdir(places.logs, { recursive: true });
    const prepare = async (): Promise<void> =>
      keepTokens(tokens, this.#pod, await prepareVolumes(places.volumes, this.#pod), this.#over.signal);
    await this.#retry(prepare, this.#halt.signal);
    const initialized = await this.#initialize();
    const endings = initialized ? await this.#runMains() : [];
    await this.#windDown();
    const succeeded = endings.length > 0 && endings.every((ending) => ending?.exitCode === 0);
    return this.#overruled ?? { phase: succeeded ? "Succeeded" : "Failed" };
  }

  async #initialize(): Promise<boolean> {
    for (const record of this.#records.filter(({ role }) => role !== "main")) {
      const process = await this.#start(record);
      if (!process) return false;
      if (record.role === "sidecar") this.#sidecars.push({ record, done: this.#supervise(record, process) });
      else if ((await this.#ending(record, process)).exitCode !== 0) return false;
    }
    return !this.#halt.signal.aborted;
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

  /** Starts a container, or gives undefined when `stop` was aborted first. */
  async #start(record: ContainerRecord, stop = this.#halt.signal): Promise<ContainerProcess | undefined> {
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

  /** Restarts a sidecar for as long as the main containers live: at once the first time, then later and later. */
  async #supervise(record: ContainerRecord, first: ContainerProcess): Promise<void> {
    const stop = AbortSignal.any([this.#halt.signal, this.#wind.signal]);
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

  /** Ends the sidecars, the last one first, as kubelets do. */
  async #windDown(): Promise<void> {
    if (!this.#halt.signal.aborted) {
      const graceMs = (this.#pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
      this.#later(graceMs, () => this.#killAll(true));
    }
    this.#wind.abort();
    for (const { record, done } of this.#sidecars.splice(0).toReversed()) {
      this.#processes.get(record)?.signal(this.#killing ? "SIGKILL" : "SIGTERM");
      await done;
    }
  }

  /** `everything` also ends the sidecars; without it only what is left of the other containers. */
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

  /** Tries until it works or `stop` is aborted, showing meanwhile what is missing: for the pod, or for one container. */
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
