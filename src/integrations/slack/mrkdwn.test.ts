import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../test/thorough.ts";
import { assertLinear, fill } from "../../../test/work.ts";
import { decode } from "./mrkdwn.ts";

describe("decode", () => {
  it.each([
    { name: "leaves out the bot's mention", text: "<@UBOT> fix it", markdown: " fix it" },
    { name: "leaves out the bot's mention with a name", text: "<@UBOT|bellhop> fix it", markdown: " fix it" },
    { name: "names people by their name", text: "ask <@U1|ana>", markdown: "ask @ana" },
    { name: "names people by their id if there is no name", text: "ask <@U1>", markdown: "ask @U1" },
    { name: "names channels", text: "see <#C1|shop> and <#C2|>", markdown: "see #shop and #C2" },
    { name: "names groups", text: "<!subteam^S1|@devs> <!subteam^S2>", markdown: "@devs @S2" },
    { name: "names everybody", text: "<!here> <!channel|@channel>", markdown: "@here @channel" },
    { name: "shows the text of dates", text: "<!date^1700000000^{date}|yesterday>", markdown: "yesterday" },
    {
      name: "shows bare addresses",
      text: "<https://x.example/a?b=1&amp;c=2>",
      markdown: "https://x.example/a?b=1&c=2",
    },
    {
      name: "shows links with a name",
      text: "<https://x.example|the shop>",
      markdown: "[the shop](https://x.example)",
    },
    {
      name: "keeps a link within its brackets",
      text: "<https://x.example/a)b|a]b>",
      markdown: String.raw`[a\]b](https://x.example/a%29b)`,
    },
    {
      name: "shows e-mail addresses",
      text: "<mailto:a@x.example|a@x.example>",
      markdown: "[a@x.example](mailto:a@x.example)",
    },
    { name: "marks bold and strikethrough", text: "*bold* _it_ ~gone~", markdown: "**bold** _it_ ~~gone~~" },
    {
      name: "keeps stars that are not bold",
      text: "2*3*4 and *.ts and a * b *",
      markdown: "2*3*4 and *.ts and a * b *",
    },
    { name: "decodes escaped characters once", text: "a &lt;b&gt; &amp;lt; c", markdown: "a <b> &lt; c" },
    { name: "keeps code", text: "`*a* &lt;b&gt;` ```x\n*y*``` *z*", markdown: "`*a* <b>` ```x\n*y*``` **z**" },
    { name: "shows addresses in code as text", text: "`<http://x.example|x.example>`", markdown: "`x.example`" },
    { name: "keeps a bracket that nothing closes", text: "a < b > c <", markdown: "a  b  c <" },
  ])("$name", ({ text, markdown }) => {
    expect(decode(text, "UBOT")).toBe(markdown);
  });

  it("keeps the bot's mention if its id is not known", () => {
    expect(decode("<@UBOT> fix")).toBe("@UBOT fix");
  });

  it.each([
    "<",
    "<@",
    "<a|",
    "|",
    "`",
    "``",
    "```",
    "``` ` ",
    "*",
    "*a",
    "*a ",
    "~a ",
    "_",
    "&amp;",
    "<!date^",
    "\n*",
    "<a|b>",
  ])("takes time linear in a text of %j", (unit) => {
    assertLinear((length) => decode(fill(unit, length), "UBOT"));
  });

  it("accepts every text", () => {
    const piece = fc.constantFrom(
      "<",
      ">",
      "|",
      "@",
      "!",
      "#",
      "*",
      "`",
      "```",
      "~",
      "&amp;",
      "\n",
      "^",
      "date",
      "a",
      " ",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 80 }), (pieces) => {
        expect(typeof decode(pieces.join(""), "a")).toBe("string");
      }),
      { numRuns: thorough(100_000, 2_000), seed: 7 },
    );
  });
});
