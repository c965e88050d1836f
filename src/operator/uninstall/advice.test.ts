import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { adviceFor } from "./advice.ts";

it("is what the chart's README says, line by line, where the release has the names of the README", () => {
  const readme = readFileSync(join(import.meta.dirname, "../../../charts/bellhop/README.md"), "utf8");
  const advice = adviceFor({ release: "bellhop", namespace: "bellhop-system" }, ["githubintegrations"]);
  const commands = advice
    .split("\n")
    .filter((line) => line.startsWith("  ") && !line.endsWith("--namespace bellhop-system"));
  expect(commands).toHaveLength(9);
  const block = commands.map((line) => line.slice(2)).join("\n");
  expect(readme).toContain(block);
});
