import type { Pod } from "../../kube/resources.ts";
import { containers } from "../protocol/layout.ts";
import { courierOutcome, maxOutcomeBytes, type CourierOutcome, type OutcomeReason } from "../protocol/outcome.ts";
import type { SandboxState } from "../provider.ts";

type Status = NonNullable<Pod["status"]>;
type ContainerStatus = NonNullable<Status["containerStatuses"]>[number];
type Ending = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

/** Derives the state of a sandbox from its pod. Pure. Trusts only what the kubelet reports and a valid termination message. */
export function observePod(pod: Pod, attempt: number, now: Date): SandboxState {
  const podUID = pod.metadata.uid ?? "";
  const status: Status = pod.status ?? {};
  const ended = status.phase === "Succeeded" || status.phase === "Failed";
  if (ended) return { podUID, ...ending(status, attempt) };
  if (isAbandoned(pod, now)) return { podUID, ...broken("NodeLost", noEndReported, true) };
  return unfinished(pod, status);
}

function unfinished(pod: Pod, status: Status): SandboxState {
  const { uid: podUID = "", creationTimestamp: createdAt = "" } = pod.metadata;
  const unpullable = waitingReason(status, unpullableReasons);
  if (unpullable) return { state: "Broken", podUID, reason: "ImageUnavailable", message: unpullable, retryable: false };
  if (allRunning(status)) return { state: "Running", podUID, since: startOf(status) ?? createdAt };
  return { podUID, since: createdAt, ...pending(status) };
}

/** How long after `deletionTimestamp` a pod may still be shown as running; that timestamp already includes the grace period. */
const maxSilenceMs = 60_000;
const noEndReported = "the node was lost: the pod was deleted, but the kubelet has not reported its end";

/** Whether a working kubelet would have ended the pod long ago. If a node is lost, its pods keep their last reported status. */
function isAbandoned({ metadata }: Pod, now: Date): boolean {
  return now.getTime() - Date.parse(metadata.deletionTimestamp ?? "") > maxSilenceMs;
}

/** Waiting reasons that kubelets give for an image that can never be pulled. */
const unpullableReasons = ["InvalidImageName", "ErrImageNeverPull"];
const imageReasons = ["ErrImagePull", "ImagePullBackOff", ...unpullableReasons];

type Ended =
  | { state: "Finished"; outcome: CourierOutcome }
  | { state: "Broken"; reason: string; message: string; retryable: boolean };

function ending(status: Status, attempt: number): Ended {
  const rules = isConcluded(status, attempt)
    ? [outOfMemory, finished]
    : [disrupted, nodeLost, outOfMemory, deadlineExceeded, evicted, finished];
  for (const rule of rules) {
    const verdict = rule(status, attempt);
    if (verdict) return verdict;
  }
  return broken("CourierLost", describeEndings(status), false);
}

type EndingRule = (status: Status, attempt: number) => Ended | undefined;

/** Outcomes of a courier that was interrupted. The kubelet knows the cause better: a disruption, a full volume, a deadline. */
const interrupted: readonly OutcomeReason[] = [
  "Stopped",
  "CheckoutFailed",
  "AgentStillWriting",
  "WorkspaceUnreadable",
  "PublishUnreachable",
  "BrokerUnreachable",
  "InternalError",
];

/** Whether the work was complete before the pod was removed: another attempt would repeat it. */
function isConcluded(status: Status, attempt: number): boolean {
  const outcome = readOutcome(status, attempt);
  return outcome !== undefined && !interrupted.includes(outcome.reason);
}

const disrupted: EndingRule = (status) => {
  const found = status.conditions?.find(({ type, status: value }) => type === "DisruptionTarget" && value === "True");
  return (
    found &&
    broken("Disrupted", `the cluster removed the pod: ${found.message ?? found.reason ?? "no reason given"}`, true)
  );
};

const nodeLost: EndingRule = (status) =>
  lostReasons.includes(status.reason ?? "")
    ? broken("NodeLost", `the node was lost: ${status.message ?? status.reason ?? ""}`, true)
    : undefined;

const outOfMemory: EndingRule = (status) => {
  const found = allStatuses(status).find((each) => endingOf(each)?.reason === "OOMKilled");
  return (
    found &&
    broken(
      "OOMKilled",
      `the container \`${found.name}\` ran out of memory; raise sandbox.resources.limits.memory`,
      false,
    )
  );
};

const finished: EndingRule = (status, attempt) => {
  const outcome = readOutcome(status, attempt);
  return outcome && { state: "Finished", outcome };
};

const deadlineExceeded: EndingRule = (status) =>
  status.reason === "DeadlineExceeded"
    ? broken("WallClockExceeded", "the pod reached its deadline before the courier could end it", false)
    : undefined;

/** An eviction without `DisruptionTarget`: the pod exceeded its own limits. */
const evicted: EndingRule = (status) =>
  status.reason === "Evicted"
    ? broken("Evicted", `the kubelet evicted the pod: ${status.message ?? "it exceeded its own limits"}`, false)
    : undefined;

/** Reasons in the status of a pod whose node was lost. The process node reports `ProcessNodeRestarted`. */
const lostReasons = ["NodeLost", "NodeShutdown", "Terminated", "ProcessNodeRestarted"];

function broken(reason: string, message: string, retryable: boolean): Ended & { state: "Broken" } {
  return { state: "Broken", reason, message, retryable };
}

/** The newest valid termination message of this attempt: from the courier, or else from the checkout. */
function readOutcome(status: Status, attempt: number): CourierOutcome | undefined {
  return [containers.courier, containers.checkout]
    .map((name) => status.initContainerStatuses?.find((each) => each.name === name))
    .flatMap((each) => (each ? [each.state?.terminated, each.lastState?.terminated] : []))
    .map((terminated) => parseOutcome(terminated?.message))
    .find((outcome) => outcome?.attempt === attempt);
}

function parseOutcome(message: string | undefined): CourierOutcome | undefined {
  if (message === undefined || Buffer.byteLength(message) > maxOutcomeBytes) return undefined;
  try {
    return courierOutcome.safeParse(JSON.parse(message)).data;
  } catch {
    // Not JSON: a message of the container runtime, or a forgery.
    return undefined;
  }
}

function describeEndings(status: Status): string {
  const endings = allStatuses(status).flatMap((each) => {
    const ended = endingOf(each);
    return ended
      ? [`${each.name} exited with code ${ended.exitCode}${ended.reason === undefined ? "" : ` (${ended.reason})`}`]
      : [];
  });
  const details = endings.length > 0 ? endings.join(", ") : (status.message ?? "no container has run");
  return `the pod ended without a result from the courier: ${details}`;
}

function pending(status: Status): { state: "Pending"; message: string; reason?: "Unschedulable" | "ImageUnavailable" } {
  const unscheduled = status.conditions?.find(
    ({ type, status: value }) => type === "PodScheduled" && value === "False",
  );
  if (unscheduled)
    return { state: "Pending", message: unscheduled.message ?? "the pod has no node yet", reason: "Unschedulable" };
  const image = waitingReason(status, imageReasons);
  if (image) return { state: "Pending", message: image, reason: "ImageUnavailable" };
  const waiting = allStatuses(status).find((each) => each.state?.waiting?.message);
  return { state: "Pending", message: waiting?.state?.waiting?.message ?? "containers are being created" };
}

function waitingReason(status: Status, reasons: readonly string[]): string | undefined {
  const found = allStatuses(status).find((each) => reasons.includes(each.state?.waiting?.reason ?? ""));
  return (
    found &&
    `${found.image}: ${found.state?.waiting?.message ?? found.state?.waiting?.reason ?? "the image cannot be pulled"}`
  );
}

/** Whether the agent runs, or has ended while the courier still works. */
function allRunning(status: Status): boolean {
  const agent = status.containerStatuses?.find(({ name }) => name === containers.agent);
  return agent?.state?.running !== undefined || agent?.state?.terminated !== undefined;
}

function startOf(status: Status): string | undefined {
  const agent = status.containerStatuses?.find(({ name }) => name === containers.agent);
  return agent?.state?.running?.startedAt ?? agent?.state?.terminated?.startedAt;
}

function allStatuses(status: Status): ContainerStatus[] {
  return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
}

function endingOf(each: ContainerStatus): Ending | undefined {
  return each.state?.terminated ?? each.lastState?.terminated;
}
