import { type ConditionUpdate, setCondition } from "../../../src/kube/conditions.ts";
import type { Pod } from "../../../src/kube/resources.ts";
import type { Condition } from "../../../src/kube/types.ts";
import { podIP } from "./fields.ts";
import type { ContainerRecord, ContainerStatus, PodStatus } from "./types.ts";
import { defined } from "../../../src/shared/defined.ts";

/** The status of the whole pod that the runner decides, independent of its containers' states. */
export interface Verdict {
  phase?: "Succeeded" | "Failed";
  reason?: string;
  message?: string;
}

/** The status that a kubelet would write for a pod in this state. Keeps conditions and fields that others wrote. */
export function podStatus(
  before: PodStatus | undefined,
  records: readonly ContainerRecord[],
  facts: { startTime: string; verdict: Verdict; now: Date },
): PodStatus {
  const phase = facts.verdict.phase ?? runningPhase(records);
  const { reason, message } = facts.verdict;
  return {
    ...before,
    phase,
    ...defined({ reason, message }),
    conditions: conditions(before?.conditions, records, phase, facts.now),
    hostIP: podIP,
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: facts.startTime,
    initContainerStatuses: records.filter(({ role }) => role !== "main").map(containerStatus),
    containerStatuses: records.filter(({ role }) => role === "main").map(containerStatus),
    qosClass: before?.qosClass ?? "BestEffort",
  };
}

/** Whether every main container may run: the init containers have succeeded and the sidecars have started. */
function isInitialized(records: readonly ContainerRecord[]): boolean {
  return records.every(
    ({ role, state, lastState }) =>
      role === "main" ||
      (role === "init" && state.terminated?.exitCode === 0) ||
      (role === "sidecar" && (state.running ?? state.terminated ?? lastState) !== undefined),
  );
}

/** The container statuses of a pod whose processes ended with its node. */
export function lostStatus(pod: Pod, message: string, now: Date): PodStatus {
  const lose = (each: ContainerStatus): ContainerStatus =>
    each.state?.running
      ? {
          ...each,
          ready: false,
          started: false,
          state: {
            terminated: {
              exitCode: 137,
              reason: "ProcessNodeRestarted",
              message,
              ...defined({ startedAt: each.state.running.startedAt }),
              finishedAt: seconds(now),
            },
          },
        }
      : { ...each, ready: false };
  return {
    ...pod.status,
    phase: "Failed",
    reason: "ProcessNodeRestarted",
    message,
    conditions: conditions(pod.status?.conditions, [], "Failed", now),
    initContainerStatuses: (pod.status?.initContainerStatuses ?? []).map(lose),
    containerStatuses: (pod.status?.containerStatuses ?? []).map(lose),
  };
}

/** RFC 3339 in whole seconds, as `metav1.Time` is. */
export function seconds(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, "Z");
}

function runningPhase(records: readonly ContainerRecord[]): "Pending" | "Running" {
  const started = records.some(({ role, state }) => role === "main" && (state.running ?? state.terminated));
  return started ? "Running" : "Pending";
}

function containerStatus({ container, role, state, lastState, restartCount }: ContainerRecord): ContainerStatus {
  const running = state.running !== undefined;
  return {
    name: container.name,
    image: container.image ?? "",
    imageID: "",
    ready: role === "init" ? state.terminated?.exitCode === 0 : running,
    started: running,
    restartCount,
    state,
    ...defined({ lastState }),
  };
}

type Conditions = NonNullable<PodStatus["conditions"]>;

function conditions(
  before: Conditions | undefined,
  records: readonly ContainerRecord[],
  phase: string,
  now: Date,
): Conditions {
  const initialized = phase === "Succeeded" || isInitialized(records);
  const unready = records
    .filter(({ role, state }) => role !== "init" && !state.running)
    .map((each) => each.container.name);
  const ready = phase === "Running" && unready.length === 0;
  const why: Pick<Condition, "reason" | "message"> =
    phase === "Succeeded"
      ? { reason: "PodCompleted", message: "" }
      : phase === "Failed"
        ? { reason: "PodFailed", message: "" }
        : { reason: "ContainersNotReady", message: `containers with unready status: [${unready.join(" ")}]` };
  const readiness = ready ? { status: "True" as const, reason: "", message: "" } : { status: "False" as const, ...why };
  const updates: ConditionUpdate[] = [
    { type: "PodScheduled", status: "True", reason: "", message: "" },
    initialized
      ? { type: "Initialized", status: "True", reason: phase === "Succeeded" ? "PodCompleted" : "", message: "" }
      : {
          type: "Initialized",
          status: "False",
          reason: "ContainersNotInitialized",
          message: "init containers have not completed",
        },
    { type: "ContainersReady", ...readiness },
    { type: "Ready", ...readiness },
  ];
  return updates.reduce<Condition[]>((all, update) => setCondition(all, update, now), (before ?? []) as Condition[]);
}
