import { z } from "zod";
import { BellhopError } from "./errors.ts";

/** A comma-separated list in an environment variable; blanks around items and empty items go. */
export const list = z.string().transform((text) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);

/** A TCP port; 0 takes a free one. */
export const port = z.coerce.number().int().min(0).max(65_535);

/** A text; a variable that is set to nothing counts as absent. */
export const text = z
  .string()
  .optional()
  .transform((value) => (value === "" ? undefined : value));

/** Reads a process's settings; throws `BellhopError` that names each variable that is wrong. */
export function readSettings<T extends z.ZodType>(
  schema: T,
  environment: Record<string, string | undefined>,
): z.output<T> {
  const result = schema.safeParse(environment);
  if (result.success) return result.data;
  const wrong = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
  throw new BellhopError("ConfigInvalid", `the environment is not right: ${wrong}`);
}
