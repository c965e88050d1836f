import { z } from "zod";
import { BellhopError } from "./errors.ts";

/** A comma-separated list in an environment variable; spaces around items and empty items are removed. */
export const list = z.string().transform((text) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);

/** A TCP port; 0 selects a free one. */
export const port = z.coerce.number().int().min(0).max(65_535);

/** A text; an empty variable counts as absent. */
export const text = z
  .string()
  .optional()
  .transform((value) => (value === "" ? undefined : value));

/** Reads the settings of a process; throws a `BellhopError` that names each invalid variable. */
export function readSettings<T extends z.ZodType>(
  schema: T,
  environment: Record<string, string | undefined>,
): z.output<T> {
  const result = schema.safeParse(environment);
  if (result.success) return result.data;
  const wrong = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
  throw new BellhopError("ConfigInvalid", `invalid environment variables: ${wrong}`);
}
