import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../test/thorough.ts";
import { assertLinear, fill } from "../../../test/work.ts";
import { findMention, visible, wordsOf } from "./mention.ts";

const ids = new Set(["UBOT"]);

describe("findMention", () => {
  it("finds the first mention of one of the ids", () => {
    expect(findMention("<@U1> and <@UBOT> stop <@UBOT>", ids)).toEqual({ botId: "UBOT", words: "stop" });
    expect(findMention("<@U1> and @UBOT", ids)).toBeUndefined();
    expect(findMention("<@UBOT> go", new Set())).toBeUndefined();
  });

  it.each(["<@", "<@UBOT", "<@U2|", "<@U2> ", "&gt;", "\n&gt;", "&gt;&gt;&gt;", "\n", "<", "`", "```"])(
    "takes time linear in a text of %j",
    (unit) => {
      assertLinear((length) => findMention(fill(unit, length), ids));
      assertLinear((length) => findMention(`<@UBOT> ${fill(unit, length)}`, ids));
    },
  );
});

describe("findMention, for any text", () => {
  const pieces =
    "<@UBOT>|<@UBOT\\|x>|<@U1>|<@|<!|<#|<|>|&gt;|&gt;&gt;&gt;|&amp;|`|```|*|~|\n|\r|\u2028|\u200b| |word|UBOT|:|,"
      .split(/(?<!\\)\|/)
      .map((piece) => piece.replace("\\", ""));
  const any = fc
    .array(fc.oneof(fc.constantFrom(...pieces, "|"), fc.string({ unit: "binary", maxLength: 3 })), { maxLength: 12 })
    .map((parts) => parts.join(""));

  it("never throws, and finds only a mention that is in the text", () => {
    fc.assert(
      fc.property(any, (text) => {
        const found = findMention(text, ids);
        return found === undefined || (text.includes(`<@${found.botId}`) && !found.words.includes("<@UBOT>"));
      }),
      { numRuns: thorough(100_000, 2_000), seed: 20_261_128 },
    );
  });

  it("finds a mention after any line that is no quote, and none on a quoted line", () => {
    const line = any.map((text) => text.replaceAll(/[\n\r\u2028\u2029<&]/g, ""));
    fc.assert(
      fc.property(line, line, (before, after) => {
        expect(findMention(`${before}<@UBOT>${after}`, ids)?.botId).toBe("UBOT");
        expect(findMention(`&gt;${before}<@UBOT>${after}`, ids)).toBeUndefined();
      }),
      { numRuns: thorough(100_000, 2_000), seed: 20_261_128 },
    );
  });
});

describe("visible", () => {
  it("leaves out the bot's mentions and characters that nobody sees", () => {
    expect(visible("<@UBOT> a\u200bb\u{e0041} <@UBOT>", "UBOT")).toBe("ab");
  });
});

describe("wordsOf", () => {
  it("leaves out a colon or comma at the beginning, once", () => {
    expect([": stop", " , stop", ":: stop"].map((text) => wordsOf(text))).toEqual(["stop", "stop", ": stop"]);
  });
});
