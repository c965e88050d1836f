import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { docstringsOf } from "../../scripts/prose/docstrings.ts";
import { messagesOf } from "../../scripts/prose/messages.ts";
import { plainMessagesOf } from "../../scripts/prose/plain-files.ts";
import { withParsedFiles, type ParsedFile } from "../../scripts/prose/syntax.ts";
import { testTitlesOf } from "../../scripts/prose/test-titles.ts";
import { sample, type ProseText } from "../../scripts/prose/text.ts";

/** The texts that `list` finds in TypeScript files, by path: `line: kind: text`. */
function listed(list: (file: ParsedFile) => ProseText[], files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), "bellhop-prose-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const config = { compilerOptions: { types: [], noLib: true }, include: ["**/*.ts"] };
  writeFileSync(join(root, "tsconfig.json"), JSON.stringify(config));
  const found = withParsedFiles(root, (parsed) => parsed.flatMap(list));
  return found.map(({ kind, line, text }) => `${line}: ${kind}: ${text}`);
}

describe("messages", () => {
  it("are strings and templates with the place of their use", () => {
    const source = [
      'import { failed } from "./a module";',
      'const wrong = failed("PodLost", `Pod ${name} is gone;\\n  recreate it.`);',
      'export const over = { reason: "Over", message: "It has " + "ended" + (late ? " late." : ".") };',
      'const words = kind === "two words" ? "The first one." : `${name}: ${why ?? "cannot be pulled"}`;',
      'throw new BellhopError("Invalid", "ask with has() first");',
      'deps.log.info({ name: "a name" }, "started");',
      'await client.request("GET /repos of an owner");',
      'const parts = text.split(" and then ");',
    ];
    expect(listed(messagesOf, { "src/controllers/a.ts": source.join("\n") })).toEqual([
      "2: condition or Event: Pod ${name} is gone; recreate it.",
      '3: condition or Event: It has ended${(late ? " late." : ".")}',
      "4: condition or Event: The first one.",
      '4: condition or Event: ${name}: ${why ?? "cannot be pulled"}',
      "5: error: ask with has() first",
      "6: log: started",
    ]);
  });

  it("get their kind from their place, and are not listed if only tests use them", () => {
    const files = {
      "src/api/a.ts": 'const name = z.string().max(5).describe("Name");',
      "src/controllers/agent-task/report/a.ts": "const line = `**Done** ${at}`;",
      "src/gateway/a.ts": 'const no = refused(404, "No", "There is none.");',
      "src/integrations/github/a.ts": 'const hint = "Check the key.";',
      "src/kube/a.test.ts": 'const text = "Never seen by users.";',
      "src/kube/testing.ts": 'const text = "Never seen by users.";',
      "test/demo/a.ts": 'console.log("The cluster is ready.");',
    };
    expect(listed(messagesOf, files).sort()).toEqual([
      "1: API description: Name",
      "1: HTTP answer: There is none.",
      "1: provider text: Check the key.",
      "1: report or change: **Done** ${at}",
      "1: script: The cluster is ready.",
    ]);
  });

  it("are found in the chart, in shell scripts and in the help of make", () => {
    const texts = (path: string, text: string): string[] =>
      plainMessagesOf(path, text).map((one) => `${one.line}: ${one.text}`);
    expect(texts("charts/a/templates/NOTES.txt", "{{- if .a }}\nDeliver to {{ .b }}.\n{{- end }}\n")).toEqual([
      "2: Deliver to {{ .b }}.",
    ]);
    expect(texts("charts/a/templates/x.yaml", 'a: b\n{{- fail (printf "%s is taken" .a) }}')).toEqual([
      "2: %s is taken",
    ]);
    expect(texts("src/entry.sh", 'set -eu\necho "disk is full: $free" >&2\n')).toEqual(["2: disk is full: $free"]);
    expect(texts("Makefile", "fix: a ## Format everything\n")).toEqual(["1: Format everything"]);
  });
});

describe("docstrings", () => {
  it("are listed without their marks, at their first line, and not the other comments or strings like them", () => {
    const source = [
      "// Not this.",
      "/**",
      " * The first line",
      " * and the second.",
      " */",
      "export interface A {",
      "  /** Of a field. */ b: string;",
      "}",
      'const glob = "src/**/*.ts";',
    ];
    expect(listed(docstringsOf, { "src/a.ts": source.join("\n") })).toEqual([
      "2: docstring: The first line and the second.",
      "7: docstring: Of a field.",
    ]);
  });
});

describe("titles of tests", () => {
  it("come after those of their groups, and with the names of their rows", () => {
    const source = [
      'describe("the queue", () => {',
      '  it("keeps the order", () => {});',
      '  describe.each([1])("with %s", () => {',
      '    it.each([{ name: "one", a: { name: "no" } }, { name: "two" }])("takes $name", () => {});',
      "  });",
      "});",
      'test("alone", run);',
    ];
    expect(listed(testTitlesOf, { "src/a.test.ts": source.join("\n") })).toEqual([
      "2: test title: the queue › keeps the order",
      "4: test title: the queue › with %s › takes one",
      "4: test title: the queue › with %s › takes two",
      "7: test title: alone",
    ]);
  });
});

describe("a sample", () => {
  const texts = Array.from({ length: 50 }, (_, line) => ({ kind: "a", path: "b", line, text: String(line) }));

  it("is the same for the same seed, different for another seed, and repeats nothing", () => {
    expect(sample(texts, 20, 1)).toEqual(sample(texts, 20, 1));
    expect(sample(texts, 20, 2)).not.toEqual(sample(texts, 20, 1));
    expect(new Set(sample(texts, 80, 1)).size).toBe(50);
  });
});
