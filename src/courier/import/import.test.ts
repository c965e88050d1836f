import fc from "fast-check";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { aSandbox, closeSandboxes, sh, type TestSandbox } from "../testing.ts";
import { importWorkspace, type Imported } from "./index.ts";

afterEach(closeSandboxes);

const importOf = (sandbox: TestSandbox): Promise<Imported> =>
  importWorkspace(sandbox.places, { ...sandbox.spec, summary: undefined });

const treeOf = (sandbox: TestSandbox, imported: Imported): string =>
  sh(
    sandbox.places.repository,
    `git ls-tree -r --format='%(objectmode) %(path)' ${imported.result === "Committed" ? imported.commit : ""}`,
  );

/** Few names, so that paths, patterns and existing files often collide. */
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
  it("writes the same tree as `git add -A`, for random paths and ignore patterns that both treat alike", async () => {
    const cases = fc.asyncProperty(
      fc.array(write, { maxLength: 6 }),
      fc.array(ignoreFile, { maxLength: 3 }),
      fc.array(write, { maxLength: 8 }),
      fc.array(file, { maxLength: 3 }),
      async (before, ignores, after, removed) => {
        const root = mkdtempSync(path.join(tmpdir(), "bellhop-import-"));
        try {
          expect(await imports(root, { before, ignores, after, removed })).toBe(gitAdds(root));
        } finally {
          rmSync(root, { recursive: true, force: true });
        }
      },
    );
    await fc.assert(cases, { numRuns: 12, seed: 42 });
  });

  it("gives the same commit id for the same workspace", async () => {
    const sandbox = await aSandbox({ base: "echo a >file" });
    await sandbox.checkout();
    writeFileSync(path.join(sandbox.places.workspace, "file"), "b");
    expect(await importOf(sandbox)).toEqual(await importOf(sandbox));
  });

  it.each([
    { name: "a file", replace: "echo evil >third_party" },
    { name: "a link", replace: "ln -s file third_party" },
  ])(
    "keeps a submodule if $name is in place of its parent folder, and reports that file as skipped",
    async ({ replace }) => {
      const link = `160000,${"1".repeat(40)},third_party/sub`;
      const sandbox = await aSandbox({
        base: `mkdir -p third_party/sub; git update-index --add --cacheinfo ${link}; echo r >third_party/readme; echo a >file`,
      });
      await sandbox.checkout();
      sh(sandbox.places.workspace, `rm -r third_party; ${replace}`);
      const imported = await importOf(sandbox);
      expect(imported).toMatchObject({
        result: "Committed",
        paths: ["third_party/readme"],
        skipped: [expect.stringMatching(/^third_party: in the commit it is a folder with a submodule/)],
      });
      expect(treeOf(sandbox, imported)).toBe("100644 file\n160000 third_party/sub\n");
    },
  );

  it("keeps paths that could not be checked out, whatever the agent puts at those paths or at their folders", async () => {
    const sandbox = await aSandbox({ base: "echo a >file" });
    const blob = sh(sandbox.origin, "echo evil | git hash-object -w --stdin").trim();
    const target = sh(sandbox.origin, "head -c 5000 /dev/zero | tr '\\0' a | git hash-object -w --stdin").trim();
    const tree = (entries: string): string => sh(sandbox.origin, `printf '${entries}' | git mktree`).trim();
    const git = tree(`100644 blob ${blob}\\tconfig\\n`);
    const folder = tree(`040000 tree ${git}\\t.GIT\\n100644 blob ${blob}\\tok\\n`);
    const top = tree(`040000 tree ${folder}\\td\\n120000 blob ${target}\\tlong\\n100644 blob ${blob}\\tfile\\n`);
    sandbox.spec.checkout.headSHA = sh(sandbox.origin, `git commit-tree -m evil ${top}`).trim();
    await sandbox.checkout();
    sh(sandbox.places.workspace, "rm -r d; echo mine >d; mkdir long; echo x >long/x; echo better >file");
    const imported = await importOf(sandbox);
    expect(imported).toMatchObject({ paths: ["d/ok", "file"] });
    expect(imported.skipped.map((one) => one.split(":")[0])).toEqual(["d", "long"]);
    expect(treeOf(sandbox, imported)).toBe("100644 d/.GIT/config\n100644 file\n120000 long\n");
  });

  // Reading it to its end would take longer than any test may.
  it("refuses a tracked file that has become a sparse file of one tebibyte, without reading it", async () => {
    const sandbox = await aSandbox({ base: "echo a >file" });
    await sandbox.checkout();
    truncateSync(path.join(sandbox.places.workspace, "file"), 2 ** 40);
    expect(await importOf(sandbox)).toMatchObject({ result: "TooMuch", why: expect.stringContaining("1048576 MiB") });
  });

  it("imports 3,000 changed files, and skips 6,000 ignored ones, with a few processes", async () => {
    const sandbox = await aSandbox({
      base: "echo node_modules/ >.gitignore; mkdir src; for i in $(seq 3000); do echo $i >src/$i; done",
    });
    await sandbox.checkout();
    sh(
      sandbox.places.workspace,
      "mkdir node_modules; cd node_modules; seq 6000 | xargs touch; cd ../src; for i in $(seq 3000); do echo x >>$i; done",
    );
    let processes = 0;
    const count = (): void => void (processes += 1);
    subscribe("child_process", count);
    onTestFinished(() => void unsubscribe("child_process", count));
    const imported = await importOf(sandbox);
    expect(imported).toMatchObject({ result: "Committed" });
    expect(imported.result === "Committed" && imported.paths.length).toBe(3_000);
    expect(processes).toBeGreaterThan(0);
    expect(processes).toBeLessThan(20);
  });
});

interface Case {
  before: readonly Write[];
  ignores: readonly (readonly [folder: string, patterns: readonly string[]])[];
  after: readonly Write[];
  removed: readonly string[];
}

interface Write {
  path: string;
  content: string;
  executable: boolean;
}

/** Creates the repository and the changed work tree of a case, and returns the id of the imported tree. */
async function imports(root: string, { before, ignores, after, removed }: Case): Promise<string> {
  const workspace = path.join(root, "workspace");
  const repository = path.join(root, "repository.git");
  mkdirSync(workspace);
  for (const [folder, patterns] of ignores) {
    put(workspace, { path: `${folder}.gitignore`, content: patterns.join("\n"), executable: false });
  }
  for (const one of before) put(workspace, one);
  const commit = "git init -q . && git add -A --force && git commit -q --allow-empty -m base";
  const headSHA = sh(workspace, `${commit} && cp -r .git ../repository.git && git rev-parse HEAD`).trim();
  for (const target of removed) rmSync(path.join(workspace, target), { recursive: true, force: true });
  for (const one of after) put(workspace, one);
  // The import uses the ignore files of the base. Git uses those of the work tree, so removed ones are restored first.
  sh(
    workspace,
    "git ls-tree -r --name-only -z HEAD | grep -z '\\.gitignore$' | xargs -0 -r -n 1 git checkout -q HEAD -- 2>/dev/null || true",
  );
  writeFileSync(path.join(root, "refused.json"), "[]");
  const imported = await importWorkspace(
    { workspace, courier: root, repository },
    {
      checkout: { headSHA, branch: "main" },
      commit: {
        author: { name: "a", email: "a@example.com" },
        subject: "s",
        trailers: [],
        date: "2026-01-01T00:00:00Z",
      },
      output: { protectedPaths: [], maxFiles: 100, maxPatchKiB: 1024 },
      summary: undefined,
    },
  );
  return sh(repository, `git rev-parse ${imported.result === "Committed" ? imported.commit : headSHA}^{tree}`);
}

const gitAdds = (root: string): string => sh(path.join(root, "workspace"), "git add -A && git write-tree");

function put(root: string, one: Write): void {
  const target = path.join(root, one.path);
  try {
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, one.content, { mode: one.executable ? 0o755 : 0o644 });
  } catch {
    // There is a file where a folder is needed, or the reverse: this write is left out.
  }
}
