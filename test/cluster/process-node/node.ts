import { join } from "node:path";
import { createController, itself } from "../../../src/kube/controller.ts";
import { isConflict, isNotFound } from "../../../src/kube/errors.ts";
import { createInformer } from "../../../src/kube/informer.ts";
import { pods, type Pod } from "../../../src/kube/resources.ts";
import { done, type KubeConnection, type Request, type Result, type Store } from "../../../src/kube/types.ts";
import { systemClock } from "../../../src/shared/clock.ts";
import type { Logger } from "../../../src/shared/log.ts";
import type { ContainerPlaces } from "./paths.ts";
import { PodRunner } from "./pod-runner.ts";
import { lostStatus } from "./status.ts";
import { hasEnded } from "./types.ts";
import { defined } from "../../../src/shared/defined.ts";

/** The scheduler name with which pods choose this node. */
const schedulerName = "bellhop-process";

/** Settings of a process node. */
interface NodeOptions {
  client: KubeConnection;
  log: Logger;
  /** The name that the node writes to `spec.nodeName` of its pods. */
  nodeName: string;
  /** Watches only this namespace; undefined means all. */
  namespace: string | undefined;
  folder: string;
  app: ContainerPlaces["app"];
  tokenMaxAgeMs: number;
}

/** Prefix of the marks that all processes of a node carry. */
export function nodeMark(folder: string): string {
  return `${folder}|`;
}

/** Prefix of the marks of the processes that this process started itself. An earlier process with the same folder has another prefix. */
export function ownMark(folder: string): string {
  return `${nodeMark(folder)}${process.pid}|`;
}

/** Binds pods to the node, runs them and reports their status until `signal` aborts. Resolves after the first list of pods. */
export async function startNode(options: NodeOptions, signal: AbortSignal): Promise<void> {
  const { client, log } = options;
  const informer = createInformer({ client, clock: systemClock, log }, pods, {
    fieldSelector: `spec.schedulerName=${schedulerName}`,
    ...defined({ namespace: options.namespace }),
  });
  const runners = new Map<string, PodRunner>();
  const controller = createController({
    name: "process-node",
    reconciler: (request) => reconcile({ options, store: informer.store, runners, enqueue }, request),
    workers: 8,
    backoff: { baseMs: 50, maxMs: 2000, jitter: 0.2 },
    log,
    clock: systemClock,
  });
  const enqueue = (request: Request): void => controller.enqueue(request);
  controller.watches(informer, itself);
  informer.start(signal);
  await informer.waitForSync(signal);
  controller.start(signal);
}

interface Frame {
  options: NodeOptions;
  store: Store<Pod>;
  runners: Map<string, PodRunner>;
  enqueue: (request: Request) => void;
}

async function reconcile(frame: Frame, request: Request): Promise<Result> {
  const pod = frame.store.get(request);
  for (const [key, runner] of frame.runners) {
    if (!key.startsWith(keyOf(request)) || key === runnerKey(pod)) continue;
    // The pod was deleted by force, so its processes get no time to end.
    runner.terminate({ graceSeconds: 0 });
    frame.runners.delete(key);
  }
  if (pod) await reconcilePod(frame, pod);
  return done;
}

async function reconcilePod(frame: Frame, pod: Pod): Promise<void> {
  const { options, runners } = frame;
  if (!pod.spec?.nodeName) return pod.metadata.deletionTimestamp ? undefined : bind(options, pod);
  if (pod.spec.nodeName !== options.nodeName) return;
  const runner = runners.get(runnerKey(pod));
  if (!runner && !hasEnded(pod)) return startNewPod(frame, pod);
  if (!pod.metadata.deletionTimestamp) return;
  if (runner && !runner.finished) runner.terminate({ graceSeconds: pod.metadata.deletionGracePeriodSeconds ?? 30 });
  else await remove(options, pod);
}

/**
 * Starts a new pod. A pod that has a start time ran under an earlier node process: its processes are lost, and its status is set
 * accordingly.
 */
async function startNewPod(frame: Frame, pod: Pod): Promise<void> {
  const { options, runners, enqueue } = frame;
  if (pod.status?.startTime !== undefined) return declareLost(options, pod);
  const runner = new PodRunner(runnerDeps(options, pod), pod);
  runners.set(runnerKey(pod), runner);
  void runner.run().then(() => enqueue(requestOf(pod)));
  enqueue(requestOf(pod)); // The pod may already be deleted.
}

async function bind({ client, nodeName, log }: NodeOptions, pod: Pod): Promise<void> {
  const { name, namespace = "", uid } = pod.metadata;
  const target = { apiVersion: "v1", kind: "Node", name: nodeName };
  const binding = { apiVersion: "v1", kind: "Binding", metadata: { name, namespace, uid }, target };
  try {
    await client.createSubresource(pods, { name, namespace }, "binding", binding);
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
    log.debug({ pod: name, namespace }, "a pod was bound to another node or deleted");
  }
}

async function declareLost({ client, log }: NodeOptions, pod: Pod): Promise<void> {
  const message = "the process node was restarted: the pod's processes ended with the previous node process";
  log.warn(
    { pod: pod.metadata.name, namespace: pod.metadata.namespace },
    "a pod was lost with an earlier node process",
  );
  await client.replaceStatus(pods, { ...pod, status: lostStatus(pod, message, new Date()) });
}

/** The last step of a deletion. If finalizers of others keep the pod, there is nothing to do. */
async function remove({ client }: NodeOptions, pod: Pod): Promise<void> {
  const { name, namespace = "", uid, finalizers = [], deletionGracePeriodSeconds } = pod.metadata;
  if (deletionGracePeriodSeconds === 0 && finalizers.length > 0) return;
  await client.delete(pods, { name, namespace }, { gracePeriodSeconds: 0, ...defined({ uid }) });
}

function runnerDeps(options: NodeOptions, pod: Pod): ConstructorParameters<typeof PodRunner>[0] {
  const { client, log } = options;
  const { namespace = "", name, uid = "" } = pod.metadata;
  const folder = join(options.folder, "pods", uid);
  return {
    log,
    tokens: { client, log, maxAgeMs: options.tokenMaxAgeMs },
    places: {
      client,
      folder,
      logs: join(options.folder, "logs", `${namespace}_${name}_${uid}`),
      volumes: { client, folder: join(folder, "volumes"), claims: join(options.folder, "claims") },
      app: options.app,
      mark: `${ownMark(options.folder)}${uid}|`,
    },
  };
}

function requestOf(pod: Pod): Request {
  return { namespace: pod.metadata.namespace ?? "", name: pod.metadata.name };
}

function keyOf({ namespace, name }: Request): string {
  return `${namespace}/${name}/`;
}

function runnerKey(pod: Pod | undefined): string {
  return pod ? `${keyOf(requestOf(pod))}${pod.metadata.uid ?? ""}` : "";
}
