import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clearContext } from "../demo/context-place.ts";

describe("removing the demo from somebody's cluster", () => {
  const path = process.env["PATH"];
  let folder: string;
  const calls = (): string[] => readFileSync(join(folder, "calls"), "utf8").trim().split("\n");

  /** Programs on the PATH that record their calls. */
  function tools(helm: string): void {
    const program = (name: string, script: string): void => {
      writeFileSync(join(folder, name), `#!/bin/sh\necho ${name} "$@" >>${folder}/calls\n${script}\n`);
      chmodSync(join(folder, name), 0o755);
    };
    program("helm", helm);
    program(
      "kubectl",
      'case "$*" in *"get namespace"*) echo namespace/marker ;; *"get crd"*) printf "a\\nb\\nc\\nd\\n" ;; esac',
    );
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bellhop-down-"));
    process.env["PATH"] = [folder, path].join(delimiter);
  });
  afterEach(() => {
    process.env["PATH"] = path;
    rmSync(folder, { recursive: true, force: true });
  });

  it("removes everything from the integrations to the marker, and names the objects that stay", async () => {
    tools("true");
    const said: string[] = [];
    await clearContext("kind-dev", (line) => void said.push(line));
    const deleted = calls().filter((call) => /delete|uninstall/.test(call));
    expect(deleted.map((call) => /agenttasks|uninstall|namespace \S+|crd/.exec(call)?.[0])).toEqual([
      "agenttasks",
      "uninstall",
      "namespace bellhop-demo",
      "crd",
      "namespace bellhop-demo-outside",
    ]);
    expect(said.at(-1)).toMatch(/bellhop-policy-parameters/);
  });

  it("stops if the release cannot be removed, because its policies would refuse every request without their parameters", async () => {
    tools('echo "Error: no rights" >&2; exit 1');
    await expect(clearContext("kind-dev", () => {})).rejects.toThrow(
      /could not be removed completely from kind-dev.*helm uninstall ended with 1: Error: no rights\nFix the cause, then run: make demo-down CONTEXT=kind-dev/,
    );
    expect(calls().filter((call) => call.includes("delete namespace") || call.includes("delete crd"))).toEqual([]);
  });
});
