import { AgentTaskKind, type AgentTask } from "../api/kinds.ts";
import { tokenReviews, type TokenReview } from "../kube/resources.ts";
import type { KubeClient } from "../kube/types.ts";
import { brokerAudience } from "../sandbox/protocol/layout.ts";
import type { Session } from "../sandbox/protocol/channel.ts";
import type { Clock } from "../shared/clock.ts";
import { signCapability, type Grant, type SigningKeys } from "./capability.ts";
import { fenced } from "./fence.ts";
import type { Peers } from "./peers.ts";
import { Refusal, unauthorized } from "./refusal.ts";

/** What opening a session needs. */
export interface SessionDeps {
  client: KubeClient;
  clock: Clock;
  keys: () => SigningKeys;
  peers: Peers;
}

/** How long a capability lasts, seconds; couriers open a new session before that. */
const lifetimeSeconds = 3600;

/** Exchanges a pod-bound token for two capabilities, bound to this task, this attempt, this pod and this address. */
export async function openSession(
  deps: SessionDeps,
  request: { token: string; peer: string },
  signal: AbortSignal,
): Promise<Session> {
  const pod = await reviewToken(deps.client, request.token, signal);
  const task = await taskOfPod(deps.client, pod, signal);
  const newest = task?.status?.attempts?.at(-1);
  if (!task || !newest)
    throw new Refusal(403, "NoTask", `pod ${pod.namespace}/${pod.name} belongs to no task that runs`);
  const grant = grantFor(task, { attempt: newest.number, podUID: pod.uid, peer: request.peer }, deps.clock.now());
  const why = fenced(task, grant);
  if (why !== undefined) throw new Refusal(409, "Fenced", `pod ${pod.namespace}/${pod.name} may not act: ${why}`);
  requirePeer(deps.peers, grant);
  return {
    capability: signCapability(grant, deps.keys()),
    agentCapability: signCapability({ ...grant, scope: "agent" }, deps.keys()),
    expiresAt: new Date(grant.exp * 1000).toISOString(),
  };
}

/** Refuses an address behind which there is more than one pod: something rewrites source addresses. */
export function requirePeer(peers: Peers, grant: Grant): void {
  if (peers.claim(grant.peer, grant.podUID)) return;
  throw new Refusal(
    403,
    "SourceAddressHidden",
    `two sandboxes come from ${grant.peer}: something between sandbox and broker rewrites source addresses (a mesh, masquerading); take it out of the way`,
  );
}

interface PodIdentity {
  namespace: string;
  name: string;
  uid: string;
}

async function reviewToken(client: KubeClient, token: string, signal: AbortSignal): Promise<PodIdentity> {
  const review = await client.create(tokenReviews, tokenReview(token), { signal });
  const pod = podIn(review.status ?? {});
  if (!pod) throw unauthorized();
  return pod;
}

/** The pod that a reviewed token is bound to; undefined unless it was made for the broker and for a pod. */
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

/** A sandbox pod is named after its task: one live read finds it. */
async function taskOfPod(client: KubeClient, pod: PodIdentity, signal: AbortSignal): Promise<AgentTask | undefined> {
  const name = /^(.+)-sandbox-[0-9]+$/.exec(pod.name)?.[1];
  return name === undefined ? undefined : client.find(AgentTaskKind, { namespace: pod.namespace, name }, signal);
}

function grantFor(task: AgentTask, who: Pick<Grant, "attempt" | "podUID" | "peer">, now: Date): Grant {
  return {
    namespace: task.metadata.namespace,
    task: task.metadata.name,
    taskUID: task.metadata.uid ?? "",
    ...who,
    scope: "courier",
    exp: Math.floor(now.getTime() / 1000) + lifetimeSeconds,
  };
}
