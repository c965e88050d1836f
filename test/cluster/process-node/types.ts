import type { Pod } from "../../../src/kube/resources.ts";

export type PodSpec = NonNullable<Pod["spec"]>;
export type PodStatus = NonNullable<Pod["status"]>;
export type Container = PodSpec["containers"][number];
export type Volume = NonNullable<PodSpec["volumes"]>[number];
export type ContainerStatus = NonNullable<PodStatus["containerStatuses"]>[number];
type ContainerState = NonNullable<ContainerStatus["state"]>;
export type Terminated = NonNullable<ContainerState["terminated"]>;

/**
 * Role of a container in its pod: `init` runs to its end before the next container starts; `sidecar` runs until all `main` containers have
 * ended.
 */
type Role = "init" | "sidecar" | "main";

/** The node's record of one container; the pod's status is built from these records. */
export interface ContainerRecord {
  readonly container: Container;
  readonly role: Role;
  state: ContainerState;
  lastState: ContainerState | undefined;
  restartCount: number;
}

/** Creates the records of a pod, in the order of its spec. */
export function recordsOf(pod: Pod): ContainerRecord[] {
  const record = (container: Container, role: Role): ContainerRecord => ({
    container,
    role,
    state: { waiting: { reason: "PodInitializing" } },
    lastState: undefined,
    restartCount: 0,
  });
  const inits = (pod.spec?.initContainers ?? []).map((each) =>
    record(each, each.restartPolicy === "Always" ? "sidecar" : "init"),
  );
  return [...inits, ...(pod.spec?.containers ?? []).map((each) => record(each, "main"))];
}

/** Whether the pod will never run again. */
export function hasEnded(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}
