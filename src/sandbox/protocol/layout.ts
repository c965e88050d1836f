/**
 * Paths in a sandbox pod. Each volume has one direction: the agent can only read `in`; the agent writes `out`, and the courier reads it as
 * untrusted; `workspace` is the checkout. Processes take all paths from environment variables, so that the same commands run on a node
 * without mount namespaces.
 */
export const mounts = {
  /** Courier → agent: entry script, prompt, context, CA file, git configuration, `stop`, `release`. */
  in: "/bellhop/in",
  /** Agent → courier: `events.jsonl`, `exit`, `stopped`, `output.log`. */
  out: "/bellhop/out",
  workspace: "/workspace",
  /** Agent only. */
  home: "/bellhop/home",
  tmp: "/bellhop/tmp",
  /** Courier only: its own git repository and state. */
  courier: "/bellhop/courier",
  /** Courier only: the attempt's ConfigMap (`sandbox.json`, `prompt.md`, `context.md`, `ca.crt`). */
  context: "/bellhop/context",
  /** Courier only: the pod-bound token, audience `bellhop-broker`. */
  token: "/bellhop/token",
} as const;

/** Files in `in`. */
export const inFiles = {
  entry: "entry.sh",
  prompt: "prompt.md",
  context: "context.md",
  ca: "ca.crt",
  gitconfig: "gitconfig",
  /** Exists when the agent must end now. */
  stop: "stop",
  /** Exists when the agent's container may end. */
  release: "release",
} as const;

/** Files in `out`. */
export const outFiles = {
  events: "events.jsonl",
  /** Standard output and error of the agent; the entry script limits its size. */
  output: "output.log",
  /** The agent's exit code, decimal. Written when the agent ends, before the processes that it left are killed. */
  exit: "exit",
  /**
   * Exists when every other process of the agent's container has ended. Contains `opening` while the work tree is made readable, then the
   * result.
   */
  stopped: "stopped",
} as const;

/** Files of the attempt's ConfigMap. */
export const contextFiles = {
  sandbox: "sandbox.json",
  prompt: "prompt.md",
  context: "context.md",
  ca: "ca.crt",
} as const;

/** Environment variables that the pod sets and courier and agent read. */
export const environment = {
  in: "BELLHOP_IN",
  out: "BELLHOP_OUT",
  workspace: "BELLHOP_WORKSPACE",
  promptFile: "BELLHOP_PROMPT_FILE",
  contextFile: "BELLHOP_CONTEXT_FILE",
  courier: "BELLHOP_COURIER",
  context: "BELLHOP_CONTEXT",
  tokenFile: "BELLHOP_TOKEN_FILE",
  terminationLog: "BELLHOP_TERMINATION_LOG",
  /** `pod`, or `process` if user ids, addresses and egress are not isolated. */
  isolation: "BELLHOP_ISOLATION",
  /** Address of the node that the pod runs on. */
  hostIP: "BELLHOP_HOST_IP",
} as const;

/**
 * User ids of the two users, and their common group for shared volumes. The checkout runs as the agent's user, so that the agent owns the
 * files.
 */
export const users = { courier: 65_532, agent: 65_533, group: 65_534 } as const;

/** Container names. */
export const containers = { checkout: "checkout", courier: "courier", agent: "agent" } as const;

/** Audience that the pod-bound token must have for the broker. */
export const brokerAudience = "bellhop-broker";
