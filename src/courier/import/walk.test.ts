import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Folder } from "../folder.ts";
import { contentOf } from "./compare.ts";
import { type Visited, walk } from "./walk.ts";

let root = "";
const at = (name: string): string => path.join(root, name);

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "bellhop-walk-"));
  for (const name of ["workspace", "workspace/d", "outside"]) mkdirSync(at(name));
  writeFileSync(at("workspace/a"), "first");
  for (const name of ["one", "two"]) {
    writeFileSync(at(`workspace/d/${name}`), "inside");
    writeFileSync(at(`outside/${name}`), "the secret outside");
  }
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Walks the workspace, changes it between the listing of a folder and the visit of a path in it, and returns the content that was read. */
async function reading(meanwhile: Record<string, () => void>): Promise<Record<string, string>> {
  const read: Record<string, string> = {};
  await walk(at("workspace"), {
    base: { files: new Map(), folders: new Set(), submodules: new Set(), refused: new Set(), keptFolders: new Set() },
    ignore: { ignored: (paths) => Promise.resolve(paths.map(() => false)), close: () => Promise.resolve() },
    skip: (skipped, why) => void (read[skipped] = why),
    visit: (entry) => {
      meanwhile[entry.path]?.();
      read[entry.path] = textOf(entry);
      return Promise.resolve();
    },
  });
  return read;
}

function textOf(entry: Visited): string {
  const content = contentOf(entry);
  const text = content === undefined ? "gone" : Buffer.concat([...content.chunks()]).toString("utf8");
  content?.close();
  return text;
}

const linkInPlaceOf = (name: string, target: string): void => {
  renameSync(at(`workspace/${name}`), at(`moved-${path.basename(name)}`));
  symlinkSync(target, at(`workspace/${name}`));
};

describe("the walk through a workspace that changes meanwhile", () => {
  it("does not enter a folder that has become a link", async () => {
    const swapped = reading({ a: () => linkInPlaceOf("d", "../outside") });
    await expect(swapped).rejects.toThrow("d could not be read: it changed while it was read");
  });

  it("continues in the folder that it has opened, even if another folder has taken its path", async () => {
    const read = await reading({ "d/one": () => linkInPlaceOf("d", "../outside") });
    expect(read).toEqual({ a: "first", "d/one": "inside", "d/two": "inside" });
    expect(readFileSync(at("workspace/d/two"), "utf8")).toBe("the secret outside");
  });

  it("does not read a file that has become a link", async () => {
    const read = await reading({ "d/one": () => linkInPlaceOf("d/two", "../../outside/two") });
    expect(read["d/two"]).toBe("gone");
  });

  it("reads as many bytes as the file had when it was opened, or reports that it became shorter", async () => {
    const cut = reading({ "d/one": () => writeFileSync(at("workspace/d/two"), "") });
    expect(await cut).toMatchObject({ "d/two": "" });
    const entry = { path: "a", name: "a", kind: "file" as const, folder: Folder.open(at("workspace")) };
    const content = contentOf(entry);
    writeFileSync(at("workspace/a"), "");
    expect(() => [...(content?.chunks() ?? [])]).toThrow("a became shorter while it was read");
    content?.close();
    entry.folder.close();
  });
});
