import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kindLoad, loadingFrom } from "../demo/load.ts";

describe("the way images reach somebody's cluster", () => {
  const path = process.env["PATH"];
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bellhop-kind-"));
    process.env["PATH"] = folder;
  });
  afterEach(() => {
    process.env["PATH"] = path;
    rmSync(folder, { recursive: true, force: true });
  });

  it("is a registry if one is named, also for kind", () => {
    const loading = { context: "kind-dev", registry: "registry.example.com/team", loaded: false };
    expect(loadingFrom({ CONTEXT: "kind-dev", REGISTRY: "registry.example.com/team" })).toEqual(loading);
  });

  it("is nothing if the nodes have them", () => {
    expect(loadingFrom({ CONTEXT: "prod", LOAD: "none" })).toEqual({ context: "prod", loaded: true });
  });

  it("is `kind load` for a kind cluster, with kind's name of the cluster", () => {
    writeFileSync(join(folder, "kind"), "");
    chmodSync(join(folder, "kind"), 0o755);
    expect(loadingFrom({ CONTEXT: "kind-dev" })).toEqual({ context: "kind-dev", loaded: false });
    expect(kindLoad("kind-dev", "/images/bellhop.tar")).toEqual(
      "kind load image-archive /images/bellhop.tar --name dev".split(" "),
    );
  });

  it.each([
    [{ CONTEXT: "kind-dev" }, /`kind` is not on the PATH/],
    [{ CONTEXT: "prod" }, /nothing says how the images get to prod: set REGISTRY=/],
    [{ CONTEXT: "prod", LOAD: "some" }, /there is only LOAD=none/],
  ])("is requested with an error of one line if %j does not name it", (env, said) => {
    expect(() => loadingFrom(env)).toThrow(said);
  });
});
