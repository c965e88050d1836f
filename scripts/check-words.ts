import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { findWords, type Exception, type Finding, type Source } from "./find-words.ts";
import { exceptions, rules } from "./words.ts";

/**
 * Prints each word that a rule of `words.ts` forbids. Ends with 1 if there is one, or if an exception is stale. An argument such as
 * `src/gateway` prints findings under this path only. `--table` prints the number of findings for each rule and folder.
 */
const root = join(import.meta.dirname, "..");
const searched = [
  "src",
  "docs",
  "charts",
  "config",
  "test",
  "scripts",
  "images",
  "Makefile",
  "Dockerfile",
  "README.md",
  "AGENTS.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
];
/** `make generate` writes these files from `src`, where the same words are found. */
const generated = ["config/crd", "config/policies", "charts/bellhop/crds", "charts/bellhop/files", "docs/reference"];
const maxContext = 160;

const starts = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const sources = searched.flatMap(filesIn);
const search = findWords(sources, rules, exceptions);
const findings = search.findings.filter(
  ({ path }) => starts.length === 0 || starts.some((start) => path.startsWith(start)),
);

if (process.argv.includes("--table")) console.table(tableOf(findings));
else for (const finding of findings) console.log(lineOf(finding));
for (const exception of search.stale) console.log(staleLine(exception));
const files = new Set(findings.map(({ path }) => path)).size;
console.log(
  `check-words: ${findings.length} words to replace in ${files} of ${sources.length} files, ${search.excepted} excepted, ${search.stale.length} stale exceptions`,
);
process.exitCode = findings.length + search.stale.length > 0 ? 1 : 0;

function filesIn(path: string): Source[] {
  if (generated.includes(path)) return [];
  const file = join(root, path);
  if (statSync(file).isDirectory())
    return readdirSync(file)
      .sort()
      .flatMap((name) => filesIn(`${path}/${name}`));
  return [{ path, text: readFileSync(file, "utf8") }];
}

function lineOf({ rule, path, line, column, found, context }: Finding): string {
  const from = Math.max(0, Math.min(column - 1 - maxContext / 2, context.length - maxContext));
  const cut = `${from > 0 ? "…" : ""}${context.slice(from, from + maxContext)}${from + maxContext < context.length ? "…" : ""}`;
  return `${path}:${line}:${column}: "${found}" → write ${rule.write} (${rule.why}): ${context === path ? "(the file's name)" : cut}`;
}

function staleLine({ path, text, reason }: Exception): string {
  return `scripts/words.ts: the exception for ${String(text)} in ${path} (${reason}) matches nothing any more: remove it`;
}

function tableOf(all: readonly Finding[]): Record<string, Record<string, number>> {
  const table: Record<string, Record<string, number>> = {};
  const folders = [...new Set(all.map(folderOf))].sort();
  for (const name of [...rules.map((rule) => rule.name), "all"]) {
    const row = Map.groupBy(
      all.filter(({ rule }) => name === "all" || rule.name === name),
      folderOf,
    );
    const numbers = folders.map((folder) => [folder, row.get(folder)?.length ?? 0] as const);
    table[name] = { ...Object.fromEntries(numbers), all: numbers.reduce((sum, [, number]) => sum + number, 0) };
  }
  return table;
}

/** `src/gateway`, `docs`, `README.md`. */
function folderOf({ path }: Finding): string {
  const [top = "", next] = path.split("/");
  return top === "src" && next !== undefined ? `${top}/${next}` : top;
}
