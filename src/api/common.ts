import { z } from "zod";

/** The API group and version of every Bellhop resource. */
export const group = "bellhop.dev";
export const version = "v1alpha1";

/** A DNS label, up to 63 characters: the name of another object in the same namespace. */
export const objectName = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);

/** Points at an object in the same namespace. */
export const localRef = z.object({ name: objectName.describe("Name of the object, in the same namespace.") });
export type LocalRef = z.infer<typeof localRef>;

/** Points at one key of a Secret in the same namespace. The Secret must carry the annotation `bellhop.dev/allowed-for`. */
export const secretKeyRef = z.object({
  name: z
    .string()
    .min(1)
    .max(253)
    .describe(
      "Name of the Secret, in the same namespace. It must carry the annotation `bellhop.dev/allowed-for: <Kind>/<host>`, " +
        "for example `GitHubIntegration/github.com`, and Bellhop sends it to that host only.",
    ),
  key: z.string().min(1).max(253).describe("The key inside the Secret's `data`."),
});
export type SecretKeyRef = z.infer<typeof secretKeyRef>;

/** An RFC 3339 date and time. */
export const timestamp = z.string().max(40).meta({ format: "date-time" });

/** A length of time with its unit, for example `90s`, `45m` or `1h30m`. */
export const duration = z
  .string()
  .min(2)
  .max(20)
  .regex(/^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?$/);

/** A condition as in the Kubernetes API conventions. */
export const condition = z.object({
  type: z.string().min(1).max(64).describe("The type of the condition, for example `Ready`."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether the condition holds."),
  reason: z.string().min(1).max(64).describe("Machine-readable reason: one CamelCase word."),
  message: z.string().max(4096).describe("Human-readable explanation: what happened, to which object, and what to do."),
  lastTransitionTime: timestamp.describe("When `status` last changed."),
  observedGeneration: z.int().min(0).optional().describe("The generation of `spec` that the condition is about."),
});

/** A list of conditions, one for each type. */
export const conditions = z
  .array(condition)
  .max(16)
  .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] });
