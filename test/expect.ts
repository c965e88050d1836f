import { expect } from "vitest";

/**
 * A regular expression in place of an expected text passes if it matches: `toMatchObject({ message: /3 ahead/ })`. Without this, vitest compares
 * it with the text as two objects without fields, which are always equal: such a test could not fail.
 */
expect.addEqualityTesters([
  (actual: unknown, wanted: unknown): boolean | undefined => {
    if (!(wanted instanceof RegExp) || actual instanceof RegExp) return undefined;
    return typeof actual === "string" && wanted.test(actual);
  },
]);
