import type { AgentTask } from "../../../api/kinds.ts";
import type { Request } from "../../../kube/types.ts";
import type { AdmissionVerdict } from "./verdict.ts";

/** Decides who works. One loop for the whole installation; only the leader runs it. */
export interface Admission {
  /** What holds for a task now; a task the loop has not seen yet is looked at soon, and `onVerdict` listeners are told. */
  verdict(task: AgentTask): AdmissionVerdict;
  /** Something that limits depend on changed; looks at everything soon. */
  changed(): void;
  /** Counts what a live list showed, until the cache shows it too. Called once, when leadership begins. */
  seed(tasks: readonly AgentTask[]): void;
  /** Called with each task that shall be looked at because its verdict changed. Returns its own removal. */
  onVerdict(listener: (request: Request) => void): () => void;
}
