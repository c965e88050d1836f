import { names } from "../../api/annotations.ts";
import { AgentTaskKind, type AgentProfile, type AgentTask } from "../../api/kinds.ts";
import { addFinalizer, hasFinalizer } from "../../kube/finalizers.ts";
import type { Priority } from "../../kube/queue.ts";
import { done, type Change, type KubeObject, type Reconciler, type Request } from "../../kube/types.ts";
import { admit } from "./admit.ts";
import { approval, approvalAgain } from "./approval.ts";
import { ask } from "./ask.ts";
import { authorise } from "./authorise.ts";
import { cancel } from "./cancel.ts";
import { cleanup } from "./cleanup.ts";
import { credentials } from "./credentials.ts";
import type { AgentTaskDeps } from "./deps.ts";
import { finalize } from "./finalize.ts";
import { follow } from "./follow.ts";
import { runSteps } from "./frame.ts";
import { prepare } from "./prepare.ts";
import { repository } from "./repository.ts";
import { sameRequest } from "./same-request.ts";
import { sandbox } from "./sandbox.ts";
import { isAtWork } from "./state.ts";
import { asStep, type AnyStep } from "./steps.ts";
import { taskPages } from "./task-index.ts";

/** The parts that the composition root wires: the reconciler, and the mappings from a changed object to the tasks to reconcile. */
export interface AgentTaskController {
  reconcile: Reconciler;
  /** For the informer of tasks; notifies the admission loop as well. */
  onTask: (change: Change<AgentTask>) => Request[];
  /** For the informer of profiles. */
  onProfile: (change: Change<AgentProfile>) => Request[];
  /** For the informers of integrations. */
  onIntegration: (change: Change<KubeObject>) => Request[];
  /** For the informer of sandbox pods: the task that owns the pod. */
  onPod: (change: Change<KubeObject>) => Request[];
  /** For the informer of NetworkPolicies: the tasks whose network the policy may open, or no longer isolates. */
  onNetworkPolicy: (change: Change<KubeObject>) => Request[];
  /** For the controller's `enqueue`: tasks whose place in the queue changed; admitted tasks come first. Returns a function that unsubscribes. */
  onAdmission(enqueue: (request: Request, priority: Priority) => void): () => void;
  /** Call when leadership begins, before the workers start: counts the tasks that already run, from a live list. */
  lead(signal: AbortSignal): Promise<void>;
}

/** Steps that are implemented in subfolders. */
export interface FurtherSteps {
  commands: AnyStep;
  publish: AnyStep;
  report: AnyStep;
}

/** All steps of a task, in order. */
export function lifeOf({ commands, publish, report }: FurtherSteps): AnyStep[] {
  return [
    asStep(cancel),
    asStep(authorise),
    asStep(sameRequest),
    commands,
    asStep(repository),
    asStep(approval),
    asStep(admit),
    asStep(approvalAgain),
    asStep(prepare),
    asStep(sandbox),
    publish,
    asStep(follow),
    asStep(credentials),
    report,
    asStep(ask),
    asStep(cleanup),
  ];
}

/** The controller of AgentTasks. */
export function agentTaskController(deps: AgentTaskDeps, steps: readonly AnyStep[]): AgentTaskController {
  return {
    reconcile: reconciler(deps, steps),
    onTask(change) {
      deps.admission.changed();
      return requestsFor(change.current ?? change.old);
    },
    onProfile: (change) => dependents(deps, change, (task, name) => task.spec.profileRef.name === name),
    onIntegration: (change) =>
      dependents(
        deps,
        change,
        (task, name) => task.spec.integrationRef.name === name || task.spec.codeHostRef?.name === name,
      ),
    onPod: ({ current, old }) => ownersOf(current ?? old),
    onNetworkPolicy: (change) => exposedBy(deps, change),
    onAdmission: (enqueue) =>
      deps.admission.onVerdict((request, { state }) => enqueue(request, state === "Admitted" ? "normal" : "low")),
    async lead(signal) {
      const { items } = await deps.kube.list(AgentTaskKind, { ...taskPages, signal });
      deps.admission.seed(items);
    },
  };
}

function reconciler(deps: AgentTaskDeps, steps: readonly AnyStep[]): Reconciler {
  return async (request, signal) => {
    const task = deps.tasks.get(request);
    if (!task) return done;
    if (task.metadata.deletionTimestamp) return finalize(deps, task, signal);
    const held = hasFinalizer(task, names.finalizer)
      ? task
      : await addFinalizer(deps.kube, AgentTaskKind, task, names.finalizer);
    return runSteps(deps, steps, held, signal);
  };
}

function requestsFor(task: KubeObject | undefined): Request[] {
  return task ? [{ namespace: task.metadata.namespace ?? "", name: task.metadata.name }] : [];
}

function dependents(
  deps: AgentTaskDeps,
  { current, old }: Change<KubeObject>,
  matches: (task: AgentTask, name: string) => boolean,
): Request[] {
  deps.admission.changed();
  const object = current ?? old;
  if (!object) return [];
  const open = deps.tasks.open(object.metadata.namespace ?? "");
  return open.filter((task) => matches(task, object.metadata.name)).flatMap(requestsFor);
}

function exposedBy({ tasks }: AgentTaskDeps, { current, old }: Change<KubeObject>): Request[] {
  const owners = ownersOf(current ?? old);
  if (owners.length > 0) return owners;
  const namespace = (current ?? old)?.metadata.namespace;
  return tasks
    .active()
    .filter((task) => task.metadata.namespace === namespace && isAtWork(task))
    .flatMap(requestsFor);
}

function ownersOf(object: KubeObject | undefined): Request[] {
  const owners = object?.metadata.ownerReferences?.filter(({ kind }) => kind === AgentTaskKind.kind) ?? [];
  return owners.map(({ name }) => ({ namespace: object?.metadata.namespace ?? "", name }));
}
