import { describe, expect, it } from "vitest";
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
