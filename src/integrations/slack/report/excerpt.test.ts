import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../../test/thorough.ts";
import { assertLinear, fill } from "../../../../test/work.ts";
import { excerpt } from "./excerpt.ts";

const bot = { mention: "bellhop", botId: "UBOT" };

describe("the excerpt of a request", () => {
  it.each([
    ["<@UBOT> please fix the login", "please fix the login"],
    ["<@UBOT|bellhop>: fix it", "fix it"],
    ["Hello!\nIt broke. <@UBOT> fix it", "fix it"],
    ["It broke. <@UBOT>", "It broke."],
    ["fix the *login* of `shop`, see <https://x.example|this>", "fix the login of shop, see this (https://x.example)"],
    ["<@UBOT> ask <@U1|ana> &amp; <#C1|shop>", "ask @ana & #shop"],
    ["<@UBOT> fix it\n\nIt broke.", "fix it …"],
    ["<@UBOT> fix\n  it now", "fix it now"],
    ["@bellhop fix it", "fix it"],
    ["<@UBOT>", ""],
    ["", ""],
  ])("of %j is %j", (text, words) => {
    expect(excerpt(text, bot)).toBe(words);
  });

  it("shows the mention as text if the bot is not known yet", () => {
    expect(excerpt("<@UBOT> fix it", { mention: undefined, botId: undefined })).toBe("@UBOT fix it");
  });

  it("is one line of at most 80 characters for any text", () => {
    const piece = fc.constantFrom(
      "<@UBOT>",
      "<",
      ">",
      "|",
      "*",
      "`",
      "```",
      "\n",
      "\n\n",
      "- ",
      "&gt;",
      "word ",
      "é😀",
      "# ",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 80 }), (pieces) => {
        const words = excerpt(pieces.join(""), bot);
        expect(words).not.toMatch(/[\n\r]|^\s|\s$/);
        expect(Array.from(words).length).toBeLessThanOrEqual(80);
      }),
      { numRuns: thorough(100_000, 3_000), seed: 5 },
    );
  });

  it.each(["<@UBOT> ", "<@", "`", "*a ", "[", "> ", "@", "@bellhop"])("takes linear time: %j", (unit) => {
    assertLinear((length) => excerpt(fill(unit, length), bot));
  });
});
