import type { Pod } from "../../kube/resources.ts";
import { containers } from "../protocol/layout.ts";
import { courierOutcome, maxOutcomeBytes, type CourierOutcome, type OutcomeReason } from "../protocol/outcome.ts";
import type { SandboxState } from "../provider.ts";

type Status = NonNullable<Pod["status"]>;
type ContainerStatus = NonNullable<Status["containerStatuses"]>[number];
type Ending = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

/** Reads a pod as a sandbox: pure, and believing nothing but what the kubelet and a valid termination message say. */
export function observePod(pod: Pod, attempt: number, now: Date): SandboxState {
  const podUID = pod.metadata.uid ?? "";
  const status: Status = pod.status ?? {};
  const ended = status.phase === "Succeeded" || status.phase === "Failed";
  if (ended) return { podUID, ...ending(status, attempt) };
  if (isAbandoned(pod, now)) return { podUID, ...broken("NodeLost", abandoned, true) };
  return underWay(pod, status);
}

function underWay(pod: Pod, status: Status): SandboxState {
  const { uid: podUID = "", creationTimestamp: createdAt = "" } = pod.metadata;
  const hopeless = waitingReason(status, hopelessReasons);
  if (hopeless) return { state: "Broken", podUID, reason: "ImageUnavailable", message: hopeless, retryable: false };
  if (allRunning(status)) return { state: "Running", podUID, since: startOf(status) ?? createdAt };
  return { podUID, since: createdAt, ...pending(status) };
}

/** How long after its time to end a pod may still be said to run; the grace period is in the deletion's timestamp already. */
const unheardMs = 60_000;
const abandoned = "the node was lost: the pod was to end, and its kubelet has not said that it did";

/** Whether a kubelet that is alive would long have ended the pod: a node that is lost leaves its pods as they were. */
function isAbandoned({ metadata }: Pod, now: Date): boolean {
  return now.getTime() - Date.parse(metadata.deletionTimestamp ?? "") > unheardMs;
}

/** Reasons of kubelets for an image that can never be pulled. */
const hopelessReasons = ["InvalidImageName", "ErrImageNeverPull"];
const imageReasons = ["ErrImagePull", "ImagePullBackOff", ...hopelessReasons];

type Ended =
  | { state: "Finished"; outcome: CourierOutcome }
  | { state: "Broken"; reason: string; message: string; retryable: boolean };

function ending(status: Status, attempt: number): Ended {
  const rules = isConcluded(status, attempt)
    ? [outOfMemory, finished]
    : [disrupted, nodeLost, outOfMemory, overtime, evicted, finished];
  for (const rule of rules) {
    const verdict = rule(status, attempt);
    if (verdict) return verdict;
  }
  return broken("CourierLost", describeEndings(status), false);
}

type EndingRule = (status: Status, attempt: number) => Ended | undefined;

/** Reasons of a courier whose work was cut short. The kubelet knows the cause better: a disruption, a full volume, a deadline. */
const cutShort: readonly OutcomeReason[] = [
  "Stopped",
  "CheckoutFailed",
  "AgentStillWriting",
  "WorkspaceUnreadable",
  "PublishUnreachable",
  "BrokerUnreachable",
  "InternalError",
];

/** Whether the work had come to an end of its own before the pod was taken away: another attempt would do it twice. */
function isConcluded(status: Status, attempt: number): boolean {
  const outcome = readOutcome(status, attempt);
  return outcome !== undefined && !cutShort.includes(outcome.reason);
}

const disrupted: EndingRule = (status) => {
  const found = status.conditions?.find(({ type, status: value }) => type === "DisruptionTarget" && value === "True");
  return (
    found &&
    broken("Disrupted", `the cluster took the pod away: ${found.message ?? found.reason ?? "no reason given"}`, true)
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

const overtime: EndingRule = (status) =>
  status.reason === "DeadlineExceeded"
    ? broken("WallClockExceeded", "the pod's deadline passed before the courier could end it", false)
    : undefined;

/** Without `DisruptionTarget` it was over its own limits. */
const evicted: EndingRule = (status) =>
  status.reason === "Evicted"
    ? broken("Evicted", `the kubelet evicted the pod: ${status.message ?? "over its own limits"}`, false)
    : undefined;

/** Reasons a pod has when its node went away; the process node speaks for itself. */
const lostReasons = ["NodeLost", "NodeShutdown", "Terminated", "ProcessNodeRestarted"];

function broken(reason: string, message: string, retryable: boolean): Ended & { state: "Broken" } {
  return { state: "Broken", reason, message, retryable };
}

/** The newest valid termination message: the courier's, else the checkout's. */
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
    // Not JSON: the runtime's own words, or a forgery. Either way it is no outcome.
    return undefined;
  }
}

function describeEndings(status: Status): string {
  const endings = allStatuses(status).flatMap((each) => {
    const ended = endingOf(each);
    return ended
      ? [`${each.name} exited ${ended.exitCode}${ended.reason === undefined ? "" : ` (${ended.reason})`}`]
      : [];
  });
  const details = endings.length > 0 ? endings.join(", ") : (status.message ?? "no container ran");
  return `the pod ended without a result from the courier: ${details}`;
}

function pending(status: Status): { state: "Pending"; message: string; reason?: "Unschedulable" | "ImageUnavailable" } {
  const unscheduled = status.conditions?.find(
    ({ type, status: value }) => type === "PodScheduled" && value === "False",
  );
  if (unscheduled) return { state: "Pending", message: unscheduled.message ?? "no node yet", reason: "Unschedulable" };
  const image = waitingReason(status, imageReasons);
  if (image) return { state: "Pending", message: image, reason: "ImageUnavailable" };
  const waiting = allStatuses(status).find((each) => each.state?.waiting?.message);
  return { state: "Pending", message: waiting?.state?.waiting?.message ?? "containers are being created" };
}

function waitingReason(status: Status, reasons: readonly string[]): string | undefined {
  const found = allStatuses(status).find((each) => reasons.includes(each.state?.waiting?.reason ?? ""));
  return (
    found && `${found.image}: ${found.state?.waiting?.message ?? found.state?.waiting?.reason ?? "cannot be pulled"}`
  );
}

/** The agent runs, or has just ended while the courier still reads. */
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
