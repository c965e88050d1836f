import { AgentTaskKind, type AgentTask } from "../api/kinds.ts";
import { tokenReviews, type TokenReview } from "../kube/resources.ts";
import type { KubeClient } from "../kube/types.ts";
import { brokerAudience } from "../sandbox/protocol/layout.ts";
import type { Session } from "../sandbox/protocol/channel.ts";
import { signCapability, type Grant } from "./capability.ts";
import { whyFenced } from "./fence.ts";
import { Refusal, unauthorized } from "./refusal.ts";
import { requireKeys, requirePeer, type GuardDeps } from "./guard.ts";

/** Lifetime of a capability, in seconds. Couriers open a new session after half of it. */
const lifetimeSeconds = 3600;

/** Exchanges a pod-bound service account token for two capabilities. Each is bound to the task, the attempt, the pod and the pod's address. */
export async function openSession(
  deps: GuardDeps,
  request: { token: string; peer: string },
  signal: AbortSignal,
): Promise<Session> {
  const pod = await reviewToken(deps.client, request.token, signal);
  const { task, attempt } = await taskOfPod(deps.client, pod, signal);
  const grant = grantFor(task, { attempt, podUID: pod.uid, peer: request.peer }, deps.clock.now());
  const why = whyFenced(task, grant);
  if (why !== undefined)
    throw new Refusal(409, "Fenced", `pod ${pod.namespace}/${pod.name} is not allowed to act: ${why}`);
  await requirePeer(deps, grant, signal);
  const keys = requireKeys(deps);
  return {
    capability: signCapability(grant, keys),
    agentCapability: signCapability({ ...grant, scope: "agent" }, keys),
    expiresAt: new Date(grant.exp * 1000).toISOString(),
  };
}

interface PodIdentity {
  namespace: string;
  name: string;
  uid: string;
}

async function reviewToken(client: KubeClient, token: string, signal: AbortSignal): Promise<PodIdentity> {
  if (token === "") throw unauthorized();
  const review = await client.create(tokenReviews, tokenReview(token), { signal });
  const pod = podIn(review.status ?? {});
  if (!pod) throw unauthorized();
  return pod;
}

/** The pod that a reviewed token is bound to; undefined if the token is not bound to a pod or has another audience than the broker. */
function podIn({ authenticated, audiences, user }: NonNullable<TokenReview["status"]>): PodIdentity | undefined {
  if (authenticated !== true || !audiences?.includes(brokerAudience)) return undefined;
  const namespace = /^system:serviceaccount:([^:]+):[^:]+$/.exec(user?.username ?? "")?.[1];
  const [name, uid] = ["pod-name", "pod-uid"].map((key) => user?.extra?.[`authentication.kubernetes.io/${key}`]?.[0]);
  return namespace && name && uid ? { namespace, name, uid } : undefined;
}

function tokenReview(token: string): TokenReview {
  return {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenReview",
    metadata: { name: "" },
    spec: { token, audiences: [brokerAudience] },
  };
}

/** Finds the task of a sandbox pod with one live read: the pod's name contains the task's name and the attempt. */
async function taskOfPod(
  client: KubeClient,
  pod: PodIdentity,
  signal: AbortSignal,
): Promise<{ task: AgentTask; attempt: number }> {
  const [, name, number] = /^(.+)-sandbox-([0-9]+)$/.exec(pod.name) ?? [];
  const task = name === undefined ? undefined : await client.find(AgentTaskKind, { ...pod, name }, signal);
  const newest = task?.status?.attempts?.at(-1);
  const at = `pod ${pod.namespace}/${pod.name}`;
  if (!task || !newest) throw new Refusal(403, "NoTask", `${at} belongs to no running task`);
  const attempt = Number(number);
  if (newest.number === attempt && newest.podUID === undefined) {
    // The operator writes the attempt, creates the pod, and then records its uid. Here the pod was faster, or the operator was killed in between.
    throw new Refusal(503, "NotYetKnown", `the operator has not recorded the uid of ${at} yet; try again in a moment`);
  }
  return { task, attempt };
}

function grantFor(task: AgentTask, caller: Pick<Grant, "attempt" | "podUID" | "peer">, now: Date): Grant {
  return {
    namespace: task.metadata.namespace,
    task: task.metadata.name,
    taskUID: task.metadata.uid ?? "",
    ...caller,
    scope: "courier",
    exp: Math.floor(now.getTime() / 1000) + lifetimeSeconds,
  };
}
