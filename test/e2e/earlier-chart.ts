import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { root } from "../docs.ts";

/** The last commit whose chart has the CRDs in `crds/`, where helm installs them and does not own them. */
export const earlierCommit = "d55d402";

/** A field of the status that the CRD of tasks did not have in the earlier chart, for these tests: an upgrade must bring it. */
export const newField = "changeUnknownSince";

/** Folder of the chart of that commit; undefined if the history is missing, as in a shallow clone. */
export function earlierChart(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-earlier-chart-"));
  try {
    const git = ["-c", "safe.directory=*", "archive", "--format=tar", earlierCommit, "charts/bellhop"];
    const tar = execFileSync("git", git, { cwd: root, maxBuffer: 64 * 1024 * 1024, stdio: ["ignore", "pipe", "pipe"] });
    execFileSync("tar", ["-x", "-C", folder], { input: tar });
  } catch {
    return undefined;
  }
  const chart = join(folder, "charts", "bellhop");
  removeNewField(join(chart, "crds", "bellhop.dev_agenttasks.yaml"));
  return chart;
}

interface Crd {
  spec: {
    versions: [{ schema: { openAPIV3Schema: { properties: { status: { properties: Record<string, object> } } } } }];
  };
}

function removeNewField(path: string): void {
  const crd = parse(readFileSync(path, "utf8")) as Crd;
  delete crd.spec.versions[0].schema.openAPIV3Schema.properties.status.properties[newField];
  writeFileSync(path, stringify(crd));
}
