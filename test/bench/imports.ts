import { aSandbox, closeSandboxes, sh } from "../../src/courier/testing.ts";
import { importWorkspace } from "../../src/courier/import/index.ts";
import { msOf, rounds, spread } from "./statistics.ts";

const count = Number(process.env["ROUNDS"] ?? 3);
const base = "echo node_modules/ >.gitignore; mkdir src; for i in $(seq 3000); do echo $i >src/$i; done";
const change =
  "mkdir node_modules; for i in $(seq 6000); do : >node_modules/$i; done; for i in $(seq 3000); do echo x >>src/$i; done";

/**
 * Compares the courier's import with `git add` and `git commit` on the same work tree. The ratio is the cost of an import that does not use
 * git.
 */
export async function run(log: (line: string) => void): Promise<void> {
  try {
    const results = await rounds(count, { git: gitCommit, import: courierImport }, log);
    log("3,000 changed files and 6,000 ignored ones");
    log(
      `import  ${spread(
        results.map((one) => one.import),
        0,
      )} ms`,
    );
    log(
      `git     ${spread(
        results.map((one) => one.git),
        0,
      )} ms`,
    );
    log(
      `ratio   ${spread(
        results.map((one) => one.import / one.git),
        2,
      )}`,
    );
  } finally {
    await closeSandboxes();
  }
}

async function courierImport(): Promise<number> {
  const sandbox = await aSandbox({ base });
  await sandbox.checkout();
  sh(sandbox.places.workspace, change);
  const ms = await msOf(async () => {
    const { result } = await importWorkspace(sandbox.places, { ...sandbox.spec, summary: undefined });
    if (result !== "Committed") throw new Error(`the import ended with ${result}`);
  });
  await sandbox.close();
  return ms;
}

async function gitCommit(): Promise<number> {
  const sandbox = await aSandbox({ base });
  sh(sandbox.root, `git clone -q ${sandbox.origin} cloned && cd cloned && ${change}`);
  const ms = await msOf(() => sh(`${sandbox.root}/cloned`, "git add -A && git commit -qm mine"));
  await sandbox.close();
  return ms;
}
