import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { adviceFor } from "./advice.ts";

it("has the same commands as the chart's README, for a release with the names of the README", () => {
  const readme = readFileSync(join(import.meta.dirname, "../../../charts/bellhop/README.md"), "utf8");
  const name = { release: "bellhop", namespace: "bellhop-system", brokerNamespace: "bellhop-broker" };
  const blocks = adviceFor(name)
    .split(/^\S.*\n/m)
    .filter((block) => block !== "");
  expect(blocks.map((block) => block.trimEnd().split("\n").length)).toEqual([1, 4, 12]);
  for (const block of blocks) expect(readme).toContain(block.replaceAll(/^ {2}/gm, ""));
});
