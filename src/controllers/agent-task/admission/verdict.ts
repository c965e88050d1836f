/** What the admission loop says of a task that wants to work. */
export type AdmissionVerdict =
  /** It may work; counts against every limit from the moment of this answer. */
  | { state: "Admitted" }
  /** It waits: so many tasks of the same limit go first. */
  | { state: "Waiting"; position: number; limit: string; reason: "Queued" | "ConversationBusy" }
  /** The loop has not looked at it yet; it tells when it has. */
  | { state: "Unknown" };
