import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const found = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, name = ""]) => name).sort();

it("runs every project of the test configuration once, with `make test` or `make e2e`", () => {
  const configured = found(read("vitest.config.ts"), /^ {10}name: "(\w+)"/gm);
  expect(configured.length).toBeGreaterThan(4);
  expect(found(read("Makefile"), /--project (\w+)/g)).toEqual(configured);
});
