import { expect } from "vitest";

/**
 * A regular expression where text is expected holds when it matches: `toMatchObject({ message: /3 ahead/ })`. Of itself, vitest compares it
 * with a text as two objects without fields, which are always alike: such a test could not fail.
 */
expect.addEqualityTesters([
  (actual: unknown, wanted: unknown): boolean | undefined => {
    if (!(wanted instanceof RegExp) || actual instanceof RegExp) return undefined;
    return typeof actual === "string" && wanted.test(actual);
  },
]);
