/** A condition of an integration as a decider gives it; time and generation are added when it is written. */
export interface Verdict {
  type: "Ready" | "CredentialsValid" | "WebhookInstalled" | "Stalled";
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
}

/** Each condition in one line. */
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
  message: "Nothing waits for a person.",
};

/** `Ready` follows from the others: the first that is wrong says why. */
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
      message: "Everything is in place; spec.suspend keeps new tasks from being made.",
    };
  return { type: "Ready", status: "True", reason: "Ready", message: "Deliveries are verified and make tasks." };
}
