import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { custom } from "../../sandbox/agents/custom.ts";
import { outFiles } from "../../sandbox/protocol/layout.ts";
import { Folder } from "../folder.ts";
import { outputTail, readExit, readSigns } from "./agent-files.ts";
import { followEvents } from "./follow-events.ts";

let place = "";
const put = (name: string, text: string, mode = 0o644): void => {
  writeFileSync(path.join(place, name), text);
  chmodSync(path.join(place, name), mode);
};

beforeEach(() => {
  place = mkdtempSync(path.join(tmpdir(), "bellhop-signs-"));
  chmodSync(place, 0o755);
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

describe("the state of an agent", () => {
  it.each([
    ["nothing, before the entry script says it", undefined, undefined],
    ["nothing, while the file is there and still empty", "", undefined],
    ["nothing, while the word is half written", "end", undefined],
    ["how it ended, once the line is whole", "ended\n", "ended"],
    ["nothing, where an agent wrote more than a word", `${"x".repeat(40)}\n`, undefined],
  ])("signal %s to the agent", (_what, written, heard) => {
    if (written !== undefined) put(outFiles.stopped, written);
    expect(readSigns(Folder.open(place), 0).stopped).toBe(heard);
  });
});

describe("a file that the agent makes unreadable", () => {
  it("counts as absent until it is readable again", () => {
    const event = { type: "message", text: "hi" } as const;
    const said = { [outFiles.stopped]: "ended\n", [outFiles.exit]: "0\n", [outFiles.output]: "words\n" };
    const all = { ...said, [outFiles.events]: `${JSON.stringify(event)}\n` };
    for (const [name, text] of Object.entries(all)) put(name, text, 0);
    const out = Folder.open(place);
    const events = followEvents(out, custom, 0);
    const look = (): unknown =>
      asAnother(() => [
        readSigns(out, 0).stopped,
        readExit(out),
        outputTail(out),
        events.read().map((one) => one.event),
      ]);
    expect(look()).toEqual([undefined, undefined, "", []]);
    for (const name of Object.keys(all)) chmodSync(path.join(place, name), 0o644);
    expect(look()).toEqual(["ended", 0, "words", [event]]);
  });
});

/** Runs as another user, because root may read files of any mode. */
function asAnother<T>(read: () => T): T {
  if (process.getuid?.() !== 0) return read();
  process.seteuid?.(65_532);
  try {
    return read();
  } finally {
    process.seteuid?.(0);
  }
}
