import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { custom, cutMark } from "../../sandbox/agents/custom.ts";
import { outFiles } from "../../sandbox/protocol/layout.ts";
import { Folder } from "../folder.ts";
import { describeUnread, followEvents, maxFileBytes } from "./follow-events.ts";

let place: string;
beforeEach(() => {
  place = mkdtempSync(path.join(tmpdir(), "events-"));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

/** Reads a file of these lines to its end. */
function read(...lines: string[]) {
  writeFileSync(path.join(place, outFiles.events), lines.map((line) => `${line}\n`).join(""));
  const follower = followEvents(Folder.open(place), custom, 0);
  const events = follower.readRest();
  return { events: events.map(({ event }) => event), endBytes: events.at(-1)?.endBytes, unread: follower.unread };
}

const done = { type: "result", summary: "done" } as const;

describe("the follower of events", () => {
  it("cuts a result of 70,000 characters in one line with a visible mark", () => {
    const { events, unread } = read(JSON.stringify({ type: "result", summary: "x".repeat(70_000) }));
    expect(events).toEqual([{ type: "result", summary: `${"x".repeat(16_384 - cutMark.length)}${cutMark}` }]);
    expect(describeUnread(unread)).toBeUndefined();
  });

  it("reads a line of 200,000 characters whose type comes last", () => {
    const { events } = read(JSON.stringify({ summary: "漢".repeat(200_000), type: "result" }), JSON.stringify(done));
    expect(events).toMatchObject([
      { type: "result", summary: expect.stringMatching(/cut by Bellhop\]$/) as string },
      done,
    ]);
  });

  it.each(["x", "漢", "😀", "\\", '"', "\n", "\u0001"])(
    "reads the beginning of a line that is too long to be kept, made of %j",
    (unit) => {
      const summary = unit.repeat(2_000_000 / (JSON.stringify(unit).length - 2));
      const { events, unread, endBytes } = read(JSON.stringify({ type: "result", summary }), JSON.stringify(done));
      const [cut, ...rest] = events;
      expect(cut?.type === "result" && cut.summary.endsWith(cutMark)).toBe(true);
      expect(cut?.type === "result" && summary.startsWith(cut.summary.slice(0, -cutMark.length))).toBe(true);
      expect(rest).toEqual([done]);
      expect(unread).toEqual({ malformed: 0, tooLong: 0, capped: false });
      expect(endBytes).toBe(
        Buffer.byteLength(`${JSON.stringify({ type: "result", summary })}\n${JSON.stringify(done)}\n`),
      );
    },
  );

  it("says so if such a line cannot be read, and reads on", () => {
    const { events, unread } = read(JSON.stringify({ more: "x".repeat(2_000_000), ...done }), JSON.stringify(done));
    expect(events).toEqual([
      { type: "message", text: expect.stringMatching(/^\[Bellhop\] A line of \d+ bytes .* was not read/) as string },
      done,
    ]);
    expect(describeUnread(unread)).toMatch(/^1 of the agent's lines/);
  });

  it("says so if the file is larger than what is read of it", () => {
    const line = JSON.stringify({ type: "message", text: "m".repeat(4_000) });
    const lines = Array.from({ length: Math.ceil(maxFileBytes / line.length) }, () => line);
    const { events, unread } = read(...lines, JSON.stringify(done));
    expect(events.at(-1)).toMatchObject({ text: expect.stringMatching(/more than 8 MiB/) as string });
    expect(describeUnread(unread)).toMatch(/more than 8 MiB .* did not read the rest/);
  });
});
