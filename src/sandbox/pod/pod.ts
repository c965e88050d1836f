import { names } from "../../api/annotations.ts";
import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import type { Pod } from "../../kube/resources.ts";
import type { Draft } from "../../kube/types.ts";
import type { OwnerReference } from "../../shared/object-meta.ts";
import { containers, inFiles, mounts, users } from "../protocol/layout.ts";
import type { SandboxRequest } from "../provider.ts";
import { agentEnvironment, courierEnvironment, terminationLog } from "./environment.ts";
import { contextName, podName, sandboxLabels } from "./names.ts";
import type { PodSettings, SandboxSettings } from "./settings.ts";
import { agentMounts, checkoutMounts, courierMounts, volumes } from "./volumes.ts";
import { defined } from "../../shared/defined.ts";

type Spec = NonNullable<Pod["spec"]>;
type Container = Spec["containers"][number];

/** The scheduler name for pods that the process node runs. */
export const processScheduler = "bellhop-process";

/**
 * Builds the pod of an attempt: `checkout` (init container) fills the workspace, `courier` (sidecar) follows the agent, `agent` does the
 * work. The pod passes Pod Security `restricted`.
 *
 * The checkout runs as the agent's user, because only the owner of a file may change its mode and times. It ends before the agent starts.
 * The agent cannot change the other files that the checkout writes: `in` (entry script, prompt, CA file, git configuration) is mounted
 * read-only, and `courier` (the base repository, the list of refused paths), the context and the token are not mounted. The courier runs as
 * another user; it can write to `courier` because both users are in one group and the umask is 002.
 */
export function buildPod(request: SandboxRequest, settings: PodSettings): Draft<Pod> {
  const { task, attempt } = request;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: podName(task.metadata.name, attempt),
      namespace: task.metadata.namespace,
      labels: sandboxLabels(task.metadata.name, attempt),
      annotations,
      finalizers: [names.harvest],
      ownerReferences: [ownedBy(task)],
    },
    spec: podSpec(request, settings),
  };
}

/** An owner reference to a task, as its controller. */
export function ownedBy(task: AgentTask): OwnerReference {
  return {
    apiVersion: `${AgentTaskKind.group}/${AgentTaskKind.version}`,
    kind: AgentTaskKind.kind,
    name: task.metadata.name,
    uid: task.metadata.uid ?? "",
    controller: true,
    blockOwnerDeletion: false,
  };
}

const annotations = {
  "sidecar.istio.io/inject": "false",
  "linkerd.io/inject": "disabled",
  "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
  "karpenter.sh/do-not-disrupt": "true",
  "kubectl.kubernetes.io/default-container": containers.agent,
};

function podSpec(request: SandboxRequest, settings: PodSettings): Spec {
  const { task, profile, attempt } = request;
  const { sandbox, agent } = profile.spec;
  return {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    serviceAccountName: settings.serviceAccountName,
    enableServiceLinks: false,
    shareProcessNamespace: false,
    dnsPolicy: "None",
    dnsConfig: { nameservers: ["127.0.0.1"] },
    activeDeadlineSeconds: Math.max(1, Math.ceil(request.remainingMs / 1000) + settings.publishBudgetSeconds),
    terminationGracePeriodSeconds: settings.publishBudgetSeconds,
    imagePullSecrets: [...settings.imagePullSecrets, ...(agent.imagePullSecrets ?? [])],
    securityContext: {
      runAsNonRoot: true,
      fsGroup: users.group,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    initContainers: [checkout(settings), courier(settings)],
    containers: [agentContainer(request, settings)],
    volumes: volumes(profile, contextName(task.metadata.name, attempt)),
    ...placement(sandbox),
    ...backend(settings),
  };
}

function placement(sandbox: SandboxRequest["profile"]["spec"]["sandbox"]): Partial<Spec> {
  return {
    ...defined({ runtimeClassName: sandbox.runtimeClassName, nodeSelector: sandbox.nodeSelector }),
    ...(sandbox.tolerations === undefined
      ? {}
      : { tolerations: sandbox.tolerations as NonNullable<Spec["tolerations"]> }),
  };
}

function backend({ backend, broker, brokerIP }: PodSettings): Partial<Spec> {
  if (backend === "process") return { schedulerName: processScheduler };
  return { hostAliases: [{ ip: brokerIP, hostnames: [broker.host] }] };
}

function checkout(settings: SandboxSettings): Container {
  const container = ours(settings, { name: containers.checkout, subcommand: "checkout", uid: users.agent });
  return { ...container, volumeMounts: checkoutMounts };
}

function courier(settings: SandboxSettings): Container {
  const container = ours(settings, { name: containers.courier, subcommand: "run", uid: users.courier });
  return { ...container, volumeMounts: courierMounts, restartPolicy: "Always" };
}

function ours(settings: SandboxSettings, which: { name: string; subcommand: string; uid: number }): Container {
  return {
    name: which.name,
    image: settings.image,
    ...defined({ imagePullPolicy: settings.imagePullPolicy }),
    command: ["/app/bin/bellhop", "courier", which.subcommand],
    env: courierEnvironment(settings),
    terminationMessagePath: terminationLog,
    // `make bench BENCH=memory`: 95 MiB. The limit is for git, which runs in the same container, on large repositories.
    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "1Gi" } },
    securityContext: locked(which.uid),
  };
}

function agentContainer({ profile }: SandboxRequest, settings: SandboxSettings): Container {
  const { image, imagePullPolicy, command } = profile.spec.agent;
  return {
    name: containers.agent,
    image,
    ...defined({ imagePullPolicy }),
    command: ["/bin/sh", `${mounts.in}/${inFiles.entry}`, ...command],
    env: agentEnvironment(settings),
    resources: quantities(profile.spec.sandbox.resources),
    securityContext: locked(users.agent),
    volumeMounts: agentMounts(profile),
  };
}

function quantities(
  resources: SandboxRequest["profile"]["spec"]["sandbox"]["resources"],
): NonNullable<Container["resources"]> {
  return JSON.parse(JSON.stringify(resources)) as NonNullable<Container["resources"]>;
}

/** The security context that `restricted` requires, with a read-only root. */
function locked(uid: number): NonNullable<Container["securityContext"]> {
  return {
    runAsUser: uid,
    runAsGroup: users.group,
    runAsNonRoot: true,
    privileged: false,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  };
}
