import type { Registry } from "prom-client";
import type { Logger } from "../shared/log.ts";
import type { Leader } from "./leader.ts";
import { type ProbeAnswer, createProbeServer } from "./probes.ts";
import type { Informer, KubeObject } from "./types.ts";

/** An informer of any kind. */
export type ManagedInformer = Pick<Informer<KubeObject>, "hasSynced" | "start" | "waitForSync">;

/** A part that runs while we lead: a controller, or anything with the same methods. */
export interface ManagedController {
  readonly name: string;
  start(signal: AbortSignal): void;
  drain(): Promise<void>;
}

/** An HTTP server of the process, besides the probes. It serves on every replica, also on a standby. */
export interface ManagedServer {
  readonly name: string;
  readonly listening: boolean;
  listen(): Promise<unknown>;
  close(): Promise<void>;
}

/** Options of a manager: the parts of one process. */
export interface ManagerOptions {
  log: Logger;
  registry: Registry;
  /** Address of the probe server. */
  probes: { port: number; host?: string };
  /** Informers by name, as shown by `/readyz`. */
  informers: Record<string, ManagedInformer>;
  controllers: ManagedController[];
  /** They listen as soon as the informers have synced. */
  servers?: readonly ManagedServer[];
  /** If absent, the controllers start as soon as the informers have synced. */
  leader?: Leader;
}

/** Runs a process's parts in order. */
export interface Manager {
  /**
   * Starts probes → informers → sync → servers → lead → controllers. Resolves when `signal` has aborted and everything has stopped, in reverse order:
   * the lease is released only when no controller works any more. Rejects if the probes cannot listen.
   */
  run(signal: AbortSignal): Promise<void>;
  /** The port of the probes, once they listen. */
  readonly probePort: Promise<number>;
}

/** Creates a manager; nothing starts before `run`. A standby is ready when its informers have synced. */
export function createManager(options: ManagerOptions): Manager {
  const port = Promise.withResolvers<number>();
  port.promise.catch(() => undefined); // `run` reports it as well
  return { probePort: port.promise, run: (signal) => run(options, signal, port) };
}

async function run(options: ManagerOptions, signal: AbortSignal, port: PromiseWithResolvers<number>): Promise<void> {
  const probes = createProbeServer({
    ...options.probes,
    registry: options.registry,
    ready: () => readiness(options, signal),
  });
  await probes.listen().then(
    ({ port: actual }) => port.resolve(actual),
    (error: unknown) => {
      port.reject(error);
      throw error;
    },
  );
  const informing = new AbortController();
  try {
    await work(options, signal, informing.signal);
  } finally {
    informing.abort(new Error("stopped"));
    await probes.close();
  }
}

async function work(options: ManagerOptions, signal: AbortSignal, informing: AbortSignal): Promise<void> {
  const { log, informers, controllers, leader, servers = [] } = options;
  try {
    for (const informer of Object.values(informers)) informer.start(informing);
    await Promise.all(Object.values(informers).map((informer) => informer.waitForSync(signal)));
    log.info({ informers: Object.keys(informers) }, "informers have synced");
    for (const server of servers) await server.listen();
    await leader?.acquire(signal);
    for (const controller of controllers) controller.start(signal);
    log.info({ controllers: controllers.map(({ name }) => name) }, "controllers have started");
    await aborted(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await Promise.all(controllers.map((controller) => controller.drain()));
    await leader?.release();
  }
}

function readiness({ informers, servers = [] }: ManagerOptions, signal: AbortSignal): ProbeAnswer {
  const waiting = Object.entries(informers).filter(([, informer]) => !informer.hasSynced);
  const reasons = waiting.map(([name]) => `the informer ${name} has not synced yet`);
  for (const { name, listening } of servers) if (!listening) reasons.push(`the server ${name} does not listen yet`);
  if (signal.aborted) reasons.push("stopping");
  return { ok: reasons.length === 0, reasons };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
