import { z } from "zod";

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
