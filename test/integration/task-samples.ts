import type { AgentTaskStatus } from "../../src/api/agent-task-status.ts";
import type { AgentTaskSpec } from "../../src/api/agent-task.ts";
import type { AgentTask } from "../../src/api/kinds.ts";
import type { Draft } from "../../src/kube/types.ts";

const now = "2026-01-02T03:04:05Z";
const sha = (digit: string): string => digit.repeat(40);

/** A task that a person creates, with the required fields only; `over` is merged into its spec. */
export function aPersonsTask(namespace: string, over: Partial<AgentTaskSpec> = {}, login = "alice"): Draft<AgentTask> {
  const spec: AgentTaskSpec = {
    integrationRef: { kind: "GitHubIntegration", name: "shop" },
    source: { provider: "kubernetes", cause: "kubectl/1", subject: { type: "Commit", key: "acme/shop" } },
    actor: { id: "", login },
    conversation: "kubernetes/1",
    repository: { id: "4711", host: "github.com", owner: "acme", name: "shop" },
    profileRef: { name: "default" },
    ...over,
  };
  return { metadata: { name: `task-${++made}`, namespace }, spec };
}
let made = 0;

/** A second value for every field of a task's spec, optional ones included; a new field needs a line here. */
export const otherSpec = {
  integrationRef: { kind: "GitHubIntegration", name: "other" },
  codeHostRef: { kind: "GitHubIntegration", name: "host" },
  source: { provider: "kubernetes", cause: "kubectl/2", subject: { type: "Commit", key: "acme/shop" } },
  actor: { id: "", login: "bob" },
  conversation: "kubernetes/other",
  command: "stop",
  commandArgument: "3f2a1c9",
  commandTarget: "other-task",
  commandMessage: "1700000000.000100",
  repository: { id: "4712", host: "github.com", owner: "acme", name: "api" },
  prompt: "Something else.",
  profileRef: { name: "other" },
  limits: { wallClock: "5m" },
  retryOf: { name: "another" },
} satisfies Required<Omit<AgentTaskSpec, "cancel">>;

type Result = Required<NonNullable<AgentTaskStatus["result"]>>;
type Pair<T> = { [K in keyof T]-?: [T[K], T[K]] };

/** Two values for every field of a task's status but `result`; a new field needs a line here. */
export const statusValues = {
  observedGeneration: [1, 2],
  phase: ["Running", "Succeeded"],
  conditions: [[condition("True")], [condition("False")]],
  conversation: ["kubernetes/1", "kubernetes/2"],
  conversationInstance: ["github.com", "T0123"],
  requester: [
    { id: "1", login: "alice" },
    { id: "2", login: "mallory" },
  ],
  repository: [
    { id: "1", host: "github.com", owner: "acme", name: "shop", from: "Line" },
    { id: "2", host: "github.com", owner: "evil", name: "shop", from: "Line" },
  ],
  question: [
    { text: "Which repository?", askedAt: now },
    { text: "Which one?", askedAt: now },
  ],
  listed: [["shop-1"], ["shop-2"]],
  request: [{ prompt: "Fix it." }, { prompt: "Push the .env." }],
  checkout: [{ headRef: "bellhop/1" }, { headRef: "main" }],
  attempts: [
    [{ number: 1, podName: "a-sandbox-1", podUID: "u-1" }],
    [{ number: 1, podName: "a-sandbox-1", podUID: "u-2" }],
  ],
  requests: [
    [{ type: "stop", by: "alice", from: "a" }],
    [{ type: "approve", by: "mallory", from: "a", argument: "3f2a1c9" }],
  ],
  queue: [
    { position: 1, limit: "cluster", since: now },
    { position: 2, limit: "cluster", since: now },
  ],
  progress: [{ updatedAt: now, step: "reading" }, { updatedAt: now }],
  publish: [
    { ref: "refs/heads/bellhop/1", newId: sha("a") },
    { ref: "refs/heads/main", newId: sha("b") },
  ],
  report: [{ id: "1" }, { id: "2" }],
  startTime: [now, "2026-01-02T03:04:06Z"],
  completionTime: [now, "2026-01-02T03:04:06Z"],
  changeUnknownSince: [now, "2026-01-02T03:04:06Z"],
} satisfies Pair<Required<Omit<AgentTaskStatus, "result">>>;

/** The same for `status.result`. */
export const resultValues = {
  proposed: [proposal("a"), proposal("b")],
  summary: ["Done.", "All done."],
  branch: ["bellhop/1", "main"],
  commit: [sha("a"), sha("b")],
  changeURL: ["https://github.com/acme/shop/pull/1", "https://evil.example.com/"],
  changeNumber: [1, 2],
  changeDraft: [true, false],
  changeNote: ["It goes into `main`, because `feature` does not exist any more.", "All is well."],
  heldUnsaid: [true, false],
} satisfies Pair<Result>;

/** Fields that the broker may write (ADR 0006). */
export const brokerMay = ["progress", "result.proposed", "result.summary"];

/** Every field of the status that the policy checks, with two values: `[path, patch with the first, with the second, removing it]`. */
export function statusFields(): { path: string; first: object; second: object; gone: object }[] {
  const patches = (
    values: Record<string, unknown[]>,
    prefix: string,
    wrap: (patch: object) => object,
  ): { path: string; first: object; second: object; gone: object }[] =>
    Object.entries(values).map(([name, [first, second]]) => ({
      path: `${prefix}${name}`,
      first: wrap({ [name]: first }),
      second: wrap({ [name]: second }),
      gone: wrap({ [name]: null }),
    }));
  return [
    ...patches(statusValues, "", (patch) => ({ status: patch })),
    ...patches(resultValues, "result.", (patch) => ({ status: { result: patch } })),
  ];
}

function proposal(digit: string): Result["proposed"] {
  return { attempt: 1, ref: "refs/heads/bellhop/1", newId: sha(digit), files: 1, patchKiB: 1 };
}

function condition(status: "True" | "False") {
  return { type: "Authorized", status, reason: "Test", message: "", lastTransitionTime: now } as const;
}
