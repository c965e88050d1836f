/** The admission loop's verdict on a task that waits for admission. */
export type AdmissionVerdict =
  /** The task may run; it counts against every limit from this verdict on. */
  | { state: "Admitted" }
  /** The task waits: `position` tasks of the same limit are ahead of it. */
  | { state: "Waiting"; position: number; limit: string; reason: "Queued" | "ConversationBusy" }
  /** The loop has not checked the task yet; it notifies its listeners when it has. */
  | { state: "Unknown" };
