import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { outFiles } from "../../sandbox/protocol/layout.ts";
import { Folder } from "../folder.ts";
import { readSigns } from "./agent-files.ts";

describe("the signs of an agent", () => {
  const place = mkdtempSync(path.join(tmpdir(), "bellhop-signs-"));
  afterAll(() => rmSync(place, { recursive: true, force: true }));

  it.each([
    ["nothing, before the entry script says it", undefined, undefined],
    ["nothing, while the file is there and still empty", "", undefined],
    ["nothing, while the word is half written", "end", undefined],
    ["how it ended, once the line is whole", "ended\n", "ended"],
    ["nothing, where an agent wrote more than a word", `${"x".repeat(40)}\n`, undefined],
  ])("tell %s", (_what, written, heard) => {
    if (written !== undefined) writeFileSync(path.join(place, outFiles.stopped), written);
    expect(readSigns(Folder.open(place)).stopped).toBe(heard);
  });
});
