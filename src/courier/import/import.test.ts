import fc from "fast-check";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { aSandbox, closeSandboxes, sh, type TestSandbox } from "../testing.ts";
import { importWorkspace, type Imported } from "./index.ts";

afterEach(closeSandboxes);

const importOf = (sandbox: TestSandbox): Promise<Imported> =>
  importWorkspace(sandbox.places, { ...sandbox.spec, summary: undefined });

const treeOf = (sandbox: TestSandbox, commit: string): string =>
  sh(sandbox.places.repository, `git rev-parse ${commit}^{tree}`).trim();

/** Few names, so that paths, patterns and what was there before collide often. */
const name = fc.constantFrom("a", "b", "build", "x.log", "keep.log", "ü", "*", ":(top)a", "!b");
const file = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const pattern = fc.constantFrom(
  "*.log",
  "!keep.log",
  "build/",
  "/a",
  "b/*",
  "!b/a",
  "**/x.log",
  "a/b",
  "ü",
  "\\!b",
  "\\*",
  "# no",
  "",
);
const ignoreFile = fc.tuple(
  fc.constantFrom("", "a/", "b/", "build/"),
  fc.array(pattern, { minLength: 1, maxLength: 4 }),
);
const write = fc.record({ path: file, content: fc.constantFrom("1", "2", ""), executable: fc.boolean() });

describe("the import", { timeout: 300_000 }, () => {
  it("makes the tree that `git add -A` makes, whatever is ignored, where both mean the same", async () => {
    const cases = fc.asyncProperty(
      fc.array(write, { maxLength: 6 }),
      fc.array(ignoreFile, { maxLength: 3 }),
      fc.array(write, { maxLength: 8 }),
      fc.array(file, { maxLength: 3 }),
      async (before, ignores, after, removed) => {
        const sandbox = await aSandbox({ base: "true" });
        const base = path.join(sandbox.root, "base");
        for (const [folder, patterns] of ignores)
          put(base, { path: `${folder}.gitignore`, content: patterns.join("\n"), executable: false });
        for (const one of before) put(base, one);
        sh(
          base,
          `git add -A --force && git commit -q --allow-empty -m base && git push -q -f ${sandbox.origin} HEAD:main`,
        );
        sandbox.spec.checkout.headSHA = sh(base, "git rev-parse HEAD").trim();
        await sandbox.checkout();
        for (const target of removed)
          if (!target.includes(".gitignore"))
            rmSync(path.join(sandbox.places.workspace, target), { recursive: true, force: true });
        // The base's ignore files are the ones that count; git reads the work tree's, so they are put back where a removal took them.
        for (const one of after) put(sandbox.places.workspace, one);
        sh(
          sandbox.places.workspace,
          "git ls-tree -r --name-only -z HEAD | grep -z '\\.gitignore$' | xargs -0 -r git checkout -q HEAD -- || true",
        );
        const imported = await importOf(sandbox);
        const expected = sh(sandbox.places.workspace, "git add -A && git write-tree").trim();
        const head = sh(sandbox.places.workspace, "git rev-parse HEAD^{tree}").trim();
        expect(imported.result === "Committed" ? treeOf(sandbox, imported.commit) : head).toBe(expected);
        await sandbox.close();
      },
    );
    await fc.assert(cases, { numRuns: 25, seed: 42 });
  });

  it("gives the same commit id for the same workspace", async () => {
    const sandbox = await aSandbox({ base: "echo a >file" });
    await sandbox.checkout();
    writeFileSync(path.join(sandbox.places.workspace, "file"), "b");
    expect(await importOf(sandbox)).toEqual(await importOf(sandbox));
  });

  it("takes 10,000 changed files, and passes over 20,000 ignored ones, in seconds", async () => {
    const sandbox = await aSandbox({
      base: "echo node_modules/ >.gitignore; mkdir src; for i in $(seq 10000); do echo $i >src/$i; done",
    });
    await sandbox.checkout();
    sh(
      sandbox.places.workspace,
      "mkdir node_modules; cd node_modules; seq 20000 | xargs touch; cd ../src; for i in $(seq 10000); do echo x >>$i; done",
    );
    const startMs = performance.now();
    const imported = await importOf(sandbox);
    const seconds = (performance.now() - startMs) / 1000;
    expect(imported).toMatchObject({ result: "Committed" });
    expect(imported.result === "Committed" && imported.paths.length).toBe(10_000);
    // Two cores shared with much else: a bound that only a wrong way of working (a process a file) would miss.
    expect(seconds).toBeLessThan(45);
  });
});

function put(root: string, one: { path: string; content: string; executable: boolean }): void {
  const target = path.join(root, one.path);
  try {
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, one.content, { mode: one.executable ? 0o755 : 0o644 });
  } catch {
    // A file is where a folder would have to be, or the other way round: this write does not happen.
  }
}
