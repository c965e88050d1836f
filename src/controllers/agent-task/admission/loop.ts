import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import type { Integration } from "../../../integrations/integration.ts";
import type { Request } from "../../../kube/types.ts";
import { sameJson } from "../../../kube/apply.ts";
import type { Clock } from "../../../shared/clock.ts";
import type { AgentTaskConfig } from "../config.ts";
import { resolveConversation } from "../conversation.ts";
import {
  conversationOf,
  ownConversation,
  holds,
  isDecided,
  isOver,
  isStopping,
  isWaitingForApproval,
  isWork,
  mayQueue,
  receiptOf,
  repositoryOf,
} from "../state.ts";
import { conversationKey, type TaskCache, type TaskIndex } from "../task-index.ts";
import { actorKey, limitsOf, unready } from "./requirements.ts";
import { schedule, type AdmissionVerdict, type Contender, type Expected } from "./schedule.ts";

/** Decides which tasks may run. There is one loop for the whole installation, and only the leader runs it. */
export interface Admission {
  /** The current verdict on a task. A task that the loop has not checked yet is checked soon, and the `onVerdict` listeners are called. */
  verdict(task: AgentTask): AdmissionVerdict;
  /** Call when an object that limits depend on has changed: all tasks are checked again soon. */
  changed(): void;
  /** Counts the tasks of a live list until the cache shows them too. Called once, when leadership begins. */
  seed(tasks: readonly AgentTask[]): void;
  /** Adds a listener that is called with each task whose verdict changed. Returns a function that removes the listener. */
  onVerdict(listener: VerdictListener): () => void;
}

/** Receives a task and its new verdict. */
export type VerdictListener = (request: Request, verdict: AdmissionVerdict) => void;

/** Dependencies of the loop; it reads only caches. */
export interface AdmissionDeps {
  /** `active`: work that is authorised and has not ended, in all namespaces. The cost of a pass grows with their number. */
  tasks: Pick<TaskCache, "active" | "get" | "inRepository" | "inConversation" | "inChannel">;
  integration(task: AgentTask): Integration | undefined;
  codeHostIntegration(task: AgentTask): Integration | undefined;
  profile(task: AgentTask): AgentProfile | undefined;
  clock: Clock;
  config: Pick<AgentTaskConfig, "concurrency" | "guardrails" | "reserveAfterMs">;
}

/** Changes within this time are handled in one pass. */
const settleMs = 20;
/**
 * After a pass the loop pauses for this many times the duration of the pass. So it uses at most a tenth of the event loop, even if
 * thousands of tasks change all the time.
 */
const restFactor = 9;
/** Minimum time between two updates of a task's place in the queue. */
const announceEveryMs = 30_000;
/** After this time the cache contains the tasks of the live list for certain. */
const seedMs = 60_000;
/** How long a task that is not authorised yet delays later tasks of its conversation. */
const patienceMs = 30_000;

/** Creates the admission loop; it is idle while nothing changes. */
export function createAdmission(deps: AdmissionDeps): Admission {
  return new AdmissionLoop(deps);
}

interface Assumed {
  task: AgentTask;
  /** Until when the task counts even if the cache does not contain it yet; only for tasks of the live list. */
  untilMs?: number;
}

/**
 * A pass is one synchronous function, so two passes never run at once. A task that a pass admits counts as running from then on. The task's
 * own reconcile writes `Admitted`. The assumption ends when the cache shows that condition, or when the task has ended or was deleted.
 */
class AdmissionLoop implements Admission {
  readonly #deps: AdmissionDeps;
  readonly #assumed = new Map<string, Assumed>();
  readonly #expected;
  readonly #announced = new Map<string, { verdict: AdmissionVerdict; atMs: number }>();
  readonly #listeners = new Set<VerdictListener>();
  /** Duration of the pause after the last pass, however much changes. */
  #restMs = 0;
  #scheduled: { atMs: number; cancel: () => void } | undefined;

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
    this.#expected = createExpectations(deps.tasks, (task) => this.#isReady(task));
  }

  verdict(task: AgentTask): AdmissionVerdict {
    const key = keyOf(task);
    if (this.#assumed.has(key)) return { state: "Admitted" };
    const announced = this.#announced.get(key);
    if (!announced) this.changed();
    return announced?.verdict ?? { state: "Unknown" };
  }

  changed(): void {
    this.#passIn(Math.max(settleMs, this.#restMs));
  }

  seed(tasks: readonly AgentTask[]): void {
    const untilMs = this.#nowMs() + seedMs;
    for (const task of tasks.filter(isRunning)) this.#assumed.set(keyOf(task), { task, untilMs });
    this.changed();
  }

  onVerdict(listener: VerdictListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #passIn(delayMs: number): void {
    const atMs = this.#nowMs() + delayMs;
    if (this.#scheduled && this.#scheduled.atMs <= atMs) return;
    this.#scheduled?.cancel();
    this.#scheduled = { atMs, cancel: this.#deps.clock.after(delayMs, () => this.#pass()) };
  }

  #pass(): void {
    this.#scheduled = undefined;
    const startedMs = this.#deps.clock.monotonicMs();
    this.#decide();
    this.#restMs = (this.#deps.clock.monotonicMs() - startedMs) * restFactor;
  }

  #decide(): void {
    const tasks = new Map(this.#deps.tasks.active().map((task) => [keyOf(task), task]));
    this.#forgetAssumed();
    const running = new Map([...tasks].filter(([, task]) => isRunning(task)));
    for (const [key, { task }] of this.#assumed) running.set(key, task);
    const waiting = [...tasks].filter(([key, task]) => isWaiting(task) && this.#isReady(task) && !running.has(key));
    const verdicts = schedule({
      running: [...running].map(([key, task]) => this.#contender(key, task)),
      waiting: waiting.map(([key, task]) => this.#contender(key, task)),
      expected: this.#expected(
        waiting.map(([, task]) => task),
        this.#nowMs(),
      ),
      nowMs: this.#nowMs(),
      reserveAfterMs: this.#deps.config.reserveAfterMs,
    });
    for (const [key, task] of waiting) this.#settle(key, task, verdicts.get(key) ?? { state: "Unknown" });
    for (const key of this.#announced.keys()) if (!verdicts.has(key)) this.#announced.delete(key);
    if (waiting.length > 0) this.#passIn(announceEveryMs);
  }

  #settle(key: string, task: AgentTask, verdict: AdmissionVerdict): void {
    if (verdict.state === "Admitted") this.#assumed.set(key, { task });
    const announced = this.#announced.get(key);
    if (announced && sameJson(announced.verdict, verdict)) return;
    const early = announced !== undefined && this.#nowMs() - announced.atMs < announceEveryMs;
    if (early && verdict.state !== "Admitted") return;
    this.#announced.set(key, { verdict, atMs: this.#nowMs() });
    const request = { namespace: task.metadata.namespace, name: task.metadata.name };
    for (const listener of this.#listeners) listener(request, verdict);
  }

  #forgetAssumed(): void {
    for (const [key, { task, untilMs }] of this.#assumed) {
      const known = this.#known(task);
      // A task whose repository became public gives up its place, perhaps before the cache shows that it had one.
      const shown = known && (holds(known, "Admitted") || isOver(known) || isWaitingForApproval(known));
      const late = untilMs === undefined ? !known || !this.#isReady(known) : untilMs <= this.#nowMs();
      if (shown || late) this.#assumed.delete(key);
    }
  }

  /** The task from the cache, also if it has ended. */
  #known(task: AgentTask): AgentTask | undefined {
    const known = this.#deps.tasks.get(task.metadata);
    return known?.metadata.uid === task.metadata.uid ? known : undefined;
  }

  /** Whether the task can be admitted at all; otherwise it takes no place in the queue. */
  #isReady(task: AgentTask): boolean {
    const deps = this.#deps;
    const [integration, codeHostIntegration] = [deps.integration(task), deps.codeHostIntegration(task)];
    const dependencies = { task, integration, codeHostIntegration, profile: deps.profile(task) };
    return unready({ ...dependencies, guardrails: deps.config.guardrails }) === undefined;
  }

  #contender(key: string, task: AgentTask): Contender {
    const deps = this.#deps;
    const integration = deps.integration(task);
    return {
      key,
      actor: actorKey(task, integration),
      conversation: conversationKey(task, conversationOf(task)),
      receipt: receiptOf(task),
      limits: limitsOf({ task, integration, profile: deps.profile(task), config: deps.config }),
    };
  }

  #nowMs(): number {
    return this.#deps.clock.now().getTime();
  }
}

/**
 * Finds tasks that will probably be authorised soon, in the conversations of the waiting tasks. Authorisation asks the provider, so a task
 * that was received later may be authorised first. The returned function remembers since when other tasks wait for each of them, so that a
 * provider that does not answer never delays others without limit.
 */
function createExpectations(
  tasks: TaskIndex,
  isReady: (task: AgentTask) => boolean,
): (waiting: readonly AgentTask[], nowMs: number) => Expected[] {
  const seenMs = new Map<string, number>();
  return (waiting, nowMs) => {
    const open = new Map(unauthorisedBeside(waiting, tasks, isReady).map((one) => [one.uid, one]));
    for (const uid of seenMs.keys()) if (!open.has(uid)) seenMs.delete(uid);
    for (const uid of open.keys()) if (!seenMs.has(uid)) seenMs.set(uid, nowMs);
    return [...open.values()].filter(({ uid }) => nowMs - (seenMs.get(uid) ?? nowMs) < patienceMs);
  };
}

/**
 * The work in the waiting tasks' conversations that is not authorised yet, each task once. A task on a change that Bellhop opened belongs
 * to the conversation of the issue, so its conversation is resolved in the same way as at authorisation.
 */
function unauthorisedBeside(
  waiting: readonly AgentTask[],
  tasks: TaskIndex,
  isReady: (task: AgentTask) => boolean,
): (Expected & { uid: string })[] {
  const conversations = new Set(waiting.map((task) => conversationKey(task, conversationOf(task))));
  return onePerRepository(waiting)
    .flatMap((task) => tasks.inRepository(task, "unsettled"))
    .concat(onePerThread(waiting).flatMap((task) => tasks.inConversation(task, conversationOf(task))))
    .filter(isUnauthorised)
    .map((task) => ({ task, conversation: conversationKey(task, resolveConversation(task, tasks)) }))
    .filter(({ task, conversation }) => conversations.has(conversation) && isReady(task))
    .map(({ task, conversation }) => ({ uid: task.metadata.uid ?? "", conversation, receipt: receiptOf(task) }));
}

/**
 * One task of each conversation in a thread whose events name no repository: the other tasks of the thread are found by their conversation.
 * The waiting task itself may come from the code host, from a comment on the change that was requested in the thread.
 */
function onePerThread(waiting: readonly AgentTask[]): AgentTask[] {
  const fromThreads = waiting.filter(
    (task) => task.spec.repository === undefined || conversationOf(task).instance !== ownConversation(task).instance,
  );
  return [...new Map(fromThreads.map((task) => [conversationKey(task, conversationOf(task)), task])).values()];
}

function onePerRepository(waiting: readonly AgentTask[]): AgentTask[] {
  const keyOf = (task: AgentTask): string =>
    JSON.stringify([task.metadata.namespace, repositoryOf(task)?.host, repositoryOf(task)?.id]);
  return [...new Map(waiting.map((task) => [keyOf(task), task])).values()];
}

function isUnauthorised(task: AgentTask): boolean {
  return isWork(task) && !isDecided(task, "Authorized") && !isOver(task) && !isStopping(task);
}

function isRunning(task: AgentTask): boolean {
  return isWork(task) && holds(task, "Admitted") && !isOver(task);
}

function isWaiting(task: AgentTask): boolean {
  return mayQueue(task) && !isDecided(task, "Succeeded") && !holds(task, "Admitted");
}

/** Key of a task. It has the uid, because a task that was deleted and created again is another task. */
function keyOf(task: AgentTask): string {
  return `${task.metadata.namespace}/${task.metadata.name}/${task.metadata.uid ?? ""}`;
}
