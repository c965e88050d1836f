import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../test/thorough.ts";
import { assertLinear, fill } from "../../test/work.ts";
import { parseCommand, parseSlashCommand } from "./parse-command.ts";

const commands = ["stop", "retry", "status", "continue", "help", "approve"];

describe("parseCommand", () => {
  it.each([
    ["stop", { command: "stop" }],
    ["  Stop!  \nthank you", { command: "stop" }],
    ["retry.", { command: "retry" }],
    ["status", { command: "status" }],
    ["continue\r\n\r\nwith the second", { command: "continue" }],
    ["HELP", { command: "help" }],
    ["approve 1a2b3c4", { command: "approve", argument: "1a2b3c4" }],
    ["Approve  1A2B3C4D", { command: "approve", argument: "1a2b3c4d" }],
    ["approve", { command: "approve" }],
    ["use", { command: "use" }],
    ["Use, please!", { command: "use" }],
    ["use acme/shop", { command: "use", argument: "acme/shop" }],
    ["Use `acme/Shop_`.\n\n", { command: "use", argument: "acme/Shop_" }],
  ])("reads %j as a command", (text, expected) => {
    expect(parseCommand(text)).toEqual(expected);
  });

  it.each([
    ["please stop", { command: "stop" }],
    ["stop now", { command: "stop" }],
    ["**stop**", { command: "stop" }],
    ["stop\u200b", { command: "stop" }],
    ["s\u00adtop&#8203;", { command: "stop" }],
    ["approve `926de38`", { command: "approve", argument: "926de38" }],
    ["status?", { command: "status" }],
    ["retry please", { command: "retry" }],
    ["stop?", { command: "stop" }],
    ["Could you please stop it, thanks! 🙏 :pray:", { command: "stop" }],
    ["_retry_ this…", { command: "retry" }],
    ["> - # `stop`", { command: "stop" }],
    ["/stop", { command: "stop" }],
    ["stop, stop!", { command: "stop" }],
    ["ＳＴＯＰ。", { command: "stop" }],
    ["stop\u00a0 <!-- really -->", { command: "stop" }],
    ["approve [926de38](https://github.com/acme/shop/commit/926de38)", { command: "approve", argument: "926de38" }],
    ["approve https://github.com/acme/shop/commit/926de381", { command: "approve", argument: "926de381" }],
    ["please use **acme/Shop**, thanks", { command: "use", argument: "acme/Shop" }],
  ])(
    "reads %j as the command that it is without politeness, punctuation, Markdown and invisible characters",
    (text, expected) => {
      expect(parseCommand(text)).toEqual(expected);
    },
  );

  it.each([
    ["stop using tabs"],
    ["don't stop"],
    ["please do not stop now"],
    ["approve of this"],
    ["approve 12"],
    ["status of #42"],
    ["retry the tests"],
    ["use tabs"],
    ["use\nacme/shop"],
    ["use acme/shop for this"],
  ])("asks what %j means, because it has a command word and little else", (text) => {
    expect(parseCommand(text)).toEqual({ command: "unclear" });
  });

  it.each([
    ["fix it\nstop"],
    ["stop using tabs in the generated files"],
    ["approve 1a2b3c4 and merge"],
    [""],
    ["?"],
    ["acme/shop"],
    ["src/login.ts\nthrows when the password is empty"],
    ["use acme/shop\nand fix the login test"],
    ["retry logic\n\nThe client gives up too early; look at the back-off."],
    [`stop ${"x".repeat(300)}`],
  ])("reads %j as a request for work", (text) => {
    expect(parseCommand(text)).toBeUndefined();
  });

  it("finds a command in whatever decoration surrounds it", () => {
    const around = fc
      .array(
        fc.constantFrom("please", "now", "\u200b", "**", "`", "!", "?", ".", ",", "🙏", "thanks", "\u00a0", "it"),
        { maxLength: 4 },
      )
      .map((parts) => parts.join(" "));
    fc.assert(
      fc.property(around, fc.constantFrom(...commands), around, (before, command, after) => {
        expect(parseCommand(`${before} ${command} ${after}`)).toEqual({ command });
      }),
      { numRuns: thorough(100_000, 200), seed: 20_261_127 },
    );
  });

  it("reads any text as a command or as a request, alone and in a slash command", () => {
    const pieces =
      "stop|use|approve|1a2b3c4|acme/shop|all|1|shop-0123456789abcdefghijklmnop|please| |\n|\r|\t|&nbsp;|&#8203;|&#x110000;|<!--|-->|[|](|)|`|:|https://|/commit/|/";
    const piece = fc.oneof(fc.constantFrom(...pieces.split("|")), fc.string({ unit: "binary", maxLength: 4 }));
    const isRead = (read: typeof parseCommand, text: string): boolean => {
      const { command, argument } = read(text) ?? { command: "help" };
      const mayHave = { approve: /^[0-9a-f]{7,64}$/, use: /^[\w.-]+\/[\w.-]+$/, stop: /^[a-z0-9.-]{1,253}$/ };
      const known = [...commands, "use", "unclear"].includes(command);
      return known && (argument === undefined || mayHave[command as "use"].test(argument));
    };
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join("");
        return isRead(parseCommand, text) && isRead(parseSlashCommand, text);
      }),
      { numRuns: thorough(100_000, 2_000), seed: 20_261_128 },
    );
  });

  it.each([["stop "], ["[a"], ["[a]("], ["<!--"], ["&#x200b;"], ["@"], [":a"]])(
    "reads each character of %j repeated only a bounded number of times",
    (unit) => {
      assertLinear((length) => parseCommand(fill(unit, length)));
    },
  );
});
