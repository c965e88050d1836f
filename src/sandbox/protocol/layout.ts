/**
 * Where things are in a sandbox pod. Volumes are one-way: `in` is read-only for the agent, `out` is written by the agent and read
 * with suspicion by the courier, `workspace` is the checkout. Every path reaches a process through its environment, so that the same
 * commands run on a node without mount namespaces.
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
  /** Appears when the agent shall end now. */
  stop: "stop",
  /** Appears when the agent's container may end. */
  release: "release",
} as const;

/** Files in `out`. */
export const outFiles = {
  events: "events.jsonl",
  /** Standard output and error of the agent, capped by the entry script's reader. */
  output: "output.log",
  /** The agent's exit code, decimal; said at its end, before what it left running is ended. */
  exit: "exit",
  /** Appears when every other process of the agent's container is gone: `opening` while the tree is made readable, then how it ended. */
  stopped: "stopped",
} as const;

/** Files of the attempt's ConfigMap. */
export const contextFiles = {
  sandbox: "sandbox.json",
  prompt: "prompt.md",
  context: "context.md",
  ca: "ca.crt",
} as const;

/** Environment variables, set by the pod, read by courier and agent. */
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
  /** `pod`, or `process` where UIDs, addresses and egress are not isolated. */
  isolation: "BELLHOP_ISOLATION",
  /** Address of the pod's own node. */
  hostIP: "BELLHOP_HOST_IP",
} as const;

/** User ids: two users, one group for the volumes they share. The checkout runs as the agent's, so that the files it writes are the agent's. */
export const users = { courier: 65_532, agent: 65_533, group: 65_534 } as const;

/** Container names. */
export const containers = { checkout: "checkout", courier: "courier", agent: "agent" } as const;

/** Audience of the pod-bound token that the broker asks for. */
export const brokerAudience = "bellhop-broker";
