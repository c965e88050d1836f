import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../test/thorough.ts";
import { readCommands, requireCommand } from "./push.ts";
import { Refusal } from "./refusal.ts";

const [zero, a, b] = ["0", "a", "b"].map((digit) => digit.repeat(40)) as [string, string, string];
const ref = "refs/heads/bellhop/1";
const caps = "\0 report-status side-band-64k agent=git/2.39";

const line = (text: string): string => (Buffer.byteLength(text) + 4).toString(16).padStart(4, "0") + text;
const request = (...lines: string[]): Buffer => Buffer.from(`${lines.map(line).join("")}0000PACK…`);

describe("readCommands", () => {
  it("reads the command without its capabilities, and stops at the flush packet", () => {
    expect(readCommands(request(`${zero} ${a} ${ref}${caps}`))).toEqual([{ oldId: zero, newId: a, ref }]);
  });

  it("ignores the lines of a shallow history", () => {
    const commands = readCommands(request(`shallow ${b}\n`, `shallow ${a}\n`, `${zero} ${a} ${ref}${caps}\n`));
    expect(commands).toEqual([{ oldId: zero, newId: a, ref }]);
  });

  it("reads the empty list of git's probe", () => {
    expect(readCommands(Buffer.from("0000"))).toEqual([]);
  });

  it("returns the same result wherever the bytes are split", () => {
    const whole = request(`shallow ${b}\n`, `${zero} ${a} ${ref}${caps}`);
    const end = whole.length - Buffer.byteLength("PACK…");
    for (let at = 0; at < end; at++) expect(readCommands(whole.subarray(0, at))).toBeUndefined();
    expect(readCommands(whole.subarray(0, end))).toHaveLength(1);
  });

  it.each([
    {
      name: "bytes without a pkt-line",
      bytes: Buffer.from("GET / HTTP/1.1"),
      message: /not a git receive-pack request/,
    },
    { name: "a length of 1 to 3", bytes: Buffer.from("0001"), message: /not a git receive-pack request/ },
    { name: "a push certificate", bytes: request(`push-cert${caps}`), message: /without push certificates/ },
    { name: "push options", bytes: request(`${zero} ${a} ${ref}\0 push-options`), message: /without push options/ },
    { name: "a ref outside refs/", bytes: request(`${zero} ${a} HEAD${caps}`), message: /only plain ref updates/ },
    { name: "a line break in a ref", bytes: request(`${zero} ${a} ${ref}\nx${caps}`), message: /only plain/ },
    {
      name: "a ref that is not UTF-8",
      bytes: Buffer.concat([Buffer.from(`0070${zero} ${a} refs/heads/`), Buffer.alloc(15, 0xff), Buffer.from("0000")]),
      message: /not UTF-8/,
    },
    {
      name: "an endless list",
      bytes: Buffer.alloc(300_000, request(`shallow ${a}\n`).subarray(0, 53)),
      message: /too long/,
    },
  ])("refuses $name", ({ bytes, message }) => {
    expect(() => readCommands(bytes)).toThrow(message);
  });

  it("returns commands, waits or refuses for any input", () => {
    const text = fc.string({ unit: "binary", maxLength: 60 });
    const packets = fc.array(text, { maxLength: 5 }).map((lines) => Buffer.from(`${lines.map(line).join("")}0000`));
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes)),
      packets,
    );
    fc.assert(
      fc.property(hostile, (bytes) => {
        try {
          const commands = readCommands(bytes) ?? [];
          return commands.every((command) => /^refs\/\S+$/.test(command.ref) && /^[0-9a-f]+$/.test(command.newId));
        } catch (error) {
          return error instanceof Refusal;
        }
      }),
      { seed: 1, numRuns: thorough(100_000) },
    );
  });
});

describe("requireCommand", () => {
  const newBranch = { ref, newId: a };
  const updatedBranch = { ref, oldId: b, newId: a };

  it.each([
    { name: "a new branch from nothing", allowed: newBranch, commands: [{ oldId: zero, newId: a, ref }] },
    {
      name: "an update of a branch from its old commit",
      allowed: updatedBranch,
      commands: [{ oldId: b, newId: a, ref }],
    },
  ])("allows $name", ({ allowed, commands }) => {
    expect(() => requireCommand(commands, allowed)).not.toThrow();
  });

  it.each([
    {
      name: "a push if none is allowed",
      allowed: undefined,
      commands: [{ oldId: zero, newId: a, ref }],
      code: "NotPublished",
    },
    { name: "another ref", allowed: newBranch, commands: [{ oldId: zero, newId: a, ref: "refs/heads/main" }] },
    { name: "another commit", allowed: newBranch, commands: [{ oldId: zero, newId: b, ref }] },
    { name: "another old commit", allowed: newBranch, commands: [{ oldId: b, newId: a, ref }] },
    { name: "a creation instead of an update", allowed: updatedBranch, commands: [{ oldId: zero, newId: a, ref }] },
    { name: "a deletion", allowed: updatedBranch, commands: [{ oldId: b, newId: zero, ref }] },
    {
      name: "a second command beside it",
      allowed: newBranch,
      commands: [
        { oldId: zero, newId: a, ref },
        { oldId: zero, newId: a, ref: "refs/tags/v1" },
      ],
    },
  ])("refuses $name", ({ allowed, commands, code = "WrongPush" }) => {
    expect(() => requireCommand(commands, allowed)).toThrow(expect.objectContaining({ code }));
  });
});
