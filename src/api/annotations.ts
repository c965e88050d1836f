/** Annotations, labels and finalizers that are part of the API. */
export const names = {
  /** On a Secret: the `<Kind>/<host>` pairs, comma-separated, that may use the Secret. */
  allowedFor: "bellhop.dev/allowed-for",
  /** On an integration: an RFC 3339 time. A time later than `status.lastHandledRotateAt` rotates the webhook secret. */
  rotateRequestedAt: "bellhop.dev/rotate-requested-at",
  /** On an integration: when somebody last installed it with the install flow. The operator sets it, so that the leading replica reconciles at once. */
  installedAt: "bellhop.dev/installed-at",
  /** Finalizer of integrations and tasks. The finalizer `harvest` keeps a pod until the operator has read its result. */
  finalizer: "bellhop.dev/cleanup",
  harvest: "bellhop.dev/harvest",
  /** Labels. */
  task: "bellhop.dev/task",
  attempt: "bellhop.dev/attempt",
  integration: "bellhop.dev/integration",
  conversation: "bellhop.dev/conversation",
  /** Label on objects in Bellhop's own namespace: the uid of the integration or task that owns the object. */
  ownerUID: "bellhop.dev/owner-uid",
  managedBy: "app.kubernetes.io/managed-by",
} as const;

/** The value of `app.kubernetes.io/managed-by` and the field manager of every apply. */
export const manager = "bellhop";
