import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { docstringsOf } from "./prose/docstrings.ts";
import { messagesOf } from "./prose/messages.ts";
import { plainMessagesOf } from "./prose/plain-files.ts";
import { withParsedFiles } from "./prose/syntax.ts";
import { testTitlesOf } from "./prose/test-titles.ts";
import { sample, sorted, type ProseText } from "./prose/text.ts";

/**
 * Prints every message that a person reads, from the sources, by kind. `--docstrings` or `--tests` prints docstrings or the titles of
 * tests instead. `--sample N --seed S` draws N of the list at random; the same seed draws the same from the same sources.
 */
const root = join(import.meta.dirname, "..");
const { values } = parseArgs({
  options: {
    docstrings: { type: "boolean", default: false },
    tests: { type: "boolean", default: false },
    sample: { type: "string" },
    seed: { type: "string", default: "1" },
  },
});

const all = sorted(listed());
const shown = values.sample === undefined ? all : sample(all, numberOf("sample"), numberOf("seed"));
for (const { kind, path, line, text } of shown) console.log(`${kind}: ${path}:${line}: ${text}`);
console.log(`${shown.length} of ${all.length}`);

function listed(): ProseText[] {
  return withParsedFiles(root, (files) => {
    if (values.docstrings) return files.flatMap(docstringsOf);
    if (values.tests) return files.flatMap(testTitlesOf);
    return [...files.flatMap(messagesOf), ...plainMessages()];
  });
}

function plainMessages(): ProseText[] {
  const paths = globSync(
    ["charts/bellhop/templates/**/*.*", "scripts/{check-generated,node,prerequisites}", "src/**/*.sh", "Makefile"],
    { cwd: root },
  );
  return paths.flatMap((path) => plainMessagesOf(path, readFileSync(join(root, path), "utf8")));
}

function numberOf(option: "sample" | "seed"): number {
  const number = Number(values[option]);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new Error(`--${option} ${values[option]}: expected a whole number`);
  return number;
}
