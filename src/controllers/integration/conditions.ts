/** A condition of an integration, without time and generation, which are added when it is written. */
export interface Verdict {
  type: "Ready" | "CredentialsValid" | "WebhookInstalled" | "Stalled";
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
}

/** Builders of verdicts, one for each condition and status. */
export const valid = (message: string): Verdict => ({
  type: "CredentialsValid",
  status: "True",
  reason: "SignedIn",
  message,
});
export const invalid = (reason: string, message: string): Verdict => ({
  type: "CredentialsValid",
  status: "False",
  reason,
  message,
});
export const unknown = (reason: string, message: string): Verdict => ({
  type: "CredentialsValid",
  status: "Unknown",
  reason,
  message,
});
export const installed = (reason: string, message: string): Verdict => ({
  type: "WebhookInstalled",
  status: "True",
  reason,
  message,
});
export const notInstalled = (reason: string, message: string): Verdict => ({
  type: "WebhookInstalled",
  status: "False",
  reason,
  message,
});
export const stalled = (reason: string, message: string): Verdict => ({
  type: "Stalled",
  status: "True",
  reason,
  message,
});
export const moving: Verdict = {
  type: "Stalled",
  status: "False",
  reason: "Progressing",
  message: "No manual action required.",
};

/** `Ready` follows from the other conditions: the first that is not as it should be gives reason and message. */
export function readiness(verdicts: readonly Verdict[], suspended: boolean): Verdict {
  const wrong =
    verdicts.find(({ type, status }) => type === "Stalled" && status === "True") ??
    verdicts.find(({ type, status }) => type !== "Stalled" && status !== "True");
  if (wrong) return { type: "Ready", status: "False", reason: wrong.reason, message: wrong.message };
  if (suspended)
    return {
      type: "Ready",
      status: "True",
      reason: "Suspended",
      message: "Everything is set up; spec.suspend prevents new tasks.",
    };
  return { type: "Ready", status: "True", reason: "Ready", message: "Deliveries are verified and create tasks." };
}
