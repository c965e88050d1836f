import { describe, expect, it } from "vitest";
import { assertLinear, fill } from "../../../../test/work.ts";
import { blockFaults } from "../../../../test/providers/slack/api/blocks.ts";
import type { Report, Span } from "../../report.ts";
import { render, renderEnd, renderQuestion } from "./render.ts";

const report = (given: Partial<Report> = {}): Report => ({
  blocks: [],
  task: "shop-abc",
  over: false,
  actions: [],
  requester: { id: "U1", login: "ana" },
  bot: { id: "UBOT", mention: "bellhop" },
  ...given,
});
const line = (...spans: Span[]): Report => report({ blocks: [{ line: spans }] });
const summary = (text: string, maxBytes = 60_000): Report => report({ blocks: [{ summary: text, maxBytes }] });

interface Node {
  type?: string;
  text?: unknown;
}

/** All objects of a message, at every depth. */
function nodesOf(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(nodesOf);
  if (typeof value !== "object" || value === null) return [];
  return [value, ...Object.values(value).flatMap(nodesOf)];
}

const elements = (given: Report): unknown[] =>
  nodesOf(render(given).blocks).filter(({ type }) => ["text", "user", "link"].includes(type ?? ""));
const textOf = (given: Report): string =>
  elements(given)
    .map((one) => String((one as Node).text))
    .join("");
const faultsOf = (given: Report): string[] => blockFaults(render(given).blocks);

describe("lines of a report", () => {
  it.each<[string, Span, unknown]>([
    ["a text", "a *b* <!here>", { type: "text", text: "a *b* <!here>" }],
    ["a strong text", { strong: "a" }, { type: "text", text: "a", style: { bold: true } }],
    ["code", { code: "a" }, { type: "text", text: "a", style: { code: true } }],
    ["a command", { command: "stop" }, { type: "text", text: "@bellhop stop", style: { code: true } }],
    ["a quote", { quote: " a\nb " }, { type: "text", text: "“a b”" }],
    [
      "a quote with a page",
      { quote: "a", url: "https://acme.slack.com/x" },
      { type: "link", url: "https://acme.slack.com/x", text: "“a”" },
    ],
    ["a quote with another address", { quote: "a", url: "javascript:alert(1)" }, { type: "text", text: "“a”" }],
    ["a person to notify", { person: { id: "U1", login: "ana" }, notify: true }, { type: "user", user_id: "U1" }],
    ["a person", { person: { id: "U1", login: "ana" }, notify: false }, { type: "text", text: "@ana" }],
    [
      "a person of another provider",
      { person: { id: "123", login: "ana" }, notify: true },
      { type: "text", text: "@ana" },
    ],
    [
      "a pull request",
      { change: { number: 7, url: "https://github.com/a/b/pull/7", draft: true } },
      { type: "link", url: "https://github.com/a/b/pull/7", text: "draft PR #7" },
    ],
    ["untrusted text", { untrusted: "**a** [b](https://x)" }, { type: "text", text: "a b (https://x)" }],
    ["an untrusted item", { untrusted: "a\n\nb", inItem: true }, { type: "text", text: "a b" }],
  ])("shows %s", (_name, span, element) => {
    expect(elements(line(span))).toEqual([element]);
  });

  it("shows checklists with their marks, and lists", () => {
    const given = report({
      blocks: [
        {
          checklist: [
            { done: true, line: ["a"] },
            { done: false, line: ["b"] },
          ],
        },
        { list: [["c"]] },
      ],
    });
    expect(textOf(given)).toBe("☑ a☐ bc");
    expect(nodesOf(render(given).blocks).filter(({ type }) => type === "rich_text_list")).toHaveLength(2);
  });
});

describe("a summary", () => {
  it("shows paragraphs, headings, lists, quotes and code", () => {
    const text = "# Title\nOne **two**\n\n1. a\n   - b\n> q\n```\ncode\n```";
    const [block] = render(summary(text)).blocks;
    expect(block).toEqual({
      type: "rich_text",
      elements: [
        { type: "rich_text_section", elements: [{ type: "text", text: "Title", style: { bold: true } }] },
        {
          type: "rich_text_section",
          elements: [
            { type: "text", text: "\n" },
            { type: "text", text: "One " },
            { type: "text", text: "two", style: { bold: true } },
          ],
        },
        list("ordered", 0, "a"),
        list("bullet", 1, "b"),
        { type: "rich_text_quote", elements: [{ type: "text", text: "q" }] },
        { type: "rich_text_preformatted", elements: [{ type: "text", text: "code" }] },
      ],
    });
  });

  const list = (style: string, indent: number, text: string): unknown => ({
    type: "rich_text_list",
    style,
    indent,
    elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }],
  });
});

it("leaves out parts without text, which Slack refuses", () => {
  const empty = report({
    blocks: [{ summary: "```\n```", maxBytes: 100 }, { line: [{ untrusted: "\u200b" }] }, { list: [] }],
  });
  expect(render(empty).blocks).toEqual([]);
});

describe("the size of a message", () => {
  const most = 13_000;
  const long = "word ".repeat(20_000);

  it.each([
    ["a long summary", summary(long)],
    ["a summary of many nodes", summary("- a\n".repeat(20_000))],
    ["long lines", report({ blocks: Array.from({ length: 20 }, () => ({ line: [long] })) })],
    [
      "many blocks",
      report({ blocks: Array.from({ length: 120 }, () => ({ line: ["a"] })), actions: ["stop", "retry"] }),
    ],
    [
      "many items",
      report({ blocks: [{ list: Array.from({ length: 300 }, () => [{ untrusted: long, inItem: true }] as const) }] }),
    ],
    [
      "many choices",
      report({
        blocks: [{ summary: long, maxBytes: 60_000 }],
        question: { text: long, choices: Array.from({ length: 300 }, (_, at) => `${"o".repeat(80)}/${at}`) },
      }),
    ],
  ])("is within Slack's limits with %s", (_name, given) => {
    const { blocks, text } = render(given);
    const characters = nodesOf(blocks).reduce(
      (sum, node) => sum + (typeof node.text === "string" ? node.text.length : 0),
      0,
    );
    expect(characters).toBeLessThanOrEqual(most);
    expect(faultsOf(given)).toEqual([]);
    expect(text.length).toBeLessThanOrEqual(1_500);
  });

  it("marks what it cuts", () => {
    expect(textOf(summary(long))).toMatch(/word … \(cut|…\n… \(cut: too long to show here\)$/);
    expect(textOf(summary("short"))).toBe("short");
    expect(textOf(line({ untrusted: long, inItem: true }))).toMatch(/…$/);
  });

  it("keeps Bellhop's own blocks before the summary, whatever their order", () => {
    const given = report({ blocks: [{ summary: long, maxBytes: 60_000 }, { line: ["the last line"] }] });
    expect(textOf(given)).toMatch(/the last line$/);
  });
});

describe("buttons and questions", () => {
  it("shows a button for each action, which names the task", () => {
    const { blocks } = render(report({ actions: ["stop", "retry", "approve"] }));
    expect(blocks).toMatchObject([
      {
        type: "actions",
        elements: [
          { action_id: "bellhop/stop", value: "stop:shop-abc" },
          { action_id: "bellhop/retry", value: "retry:shop-abc" },
          { action_id: "bellhop/approve", value: "approve:shop-abc" },
        ],
      },
    ]);
  });

  it("asks with a text, with a button for the menu and no name of a repository", () => {
    const { blocks } = render(report({ question: { text: "Which?", choices: ["acme/shop"] } }));
    expect(blocks).toMatchObject([
      {
        type: "section",
        text: { type: "plain_text", text: "Which?" },
        accessory: { type: "button", action_id: "bellhop/choose", value: "choose:shop-abc" },
      },
    ]);
    expect(JSON.stringify(blocks)).not.toContain("acme/shop");
  });

  it("asks one person with a menu, whose choices Slack asks for at once", () => {
    const { blocks, text } = renderQuestion({ task: "shop-abc", person: "U1", text: "Which <one>?" });
    expect(blocks).toMatchObject([
      {
        type: "section",
        block_id: "bellhop/use:shop-abc",
        text: { type: "plain_text", text: "Which <one>?" },
        accessory: { type: "external_select", action_id: "bellhop/use", min_query_length: 0 },
      },
    ]);
    expect(text).toBe("Which &lt;one&gt;?");
    expect(blockFaults(nodesOf(blocks).filter((_, at) => at === 0) as Record<string, unknown>[])).toEqual([]);
  });

  it("shows a question without choices as text", () => {
    const [block] = render(report({ question: { text: "Which?", choices: [] } })).blocks;
    expect(block).not.toHaveProperty("accessory");
  });
});

describe("notifications", () => {
  it("have Bellhop's own words of the first line, escaped", () => {
    const given = line({ strong: "Done <&>" }, " · ", { quote: "<!channel>" }, { untrusted: "<@U1>" }, { code: "t-1" });
    expect(render(given).text).toBe("Done &lt;&amp;&gt; · t-1");
    expect(render(report()).text).toBe("Bellhop");
  });

  it("mention the requester at the end", () => {
    const { blocks } = renderEnd(line({ strong: "Done" }));
    expect(nodesOf(blocks).filter(({ type }) => type === "user")).toEqual([{ type: "user", user_id: "U1" }]);
  });
});

describe("a hostile summary", () => {
  it.each(["*a ", "](", "- a\n", "\u0301"])("takes linear time: %j", (unit) => {
    assertLinear((length) => render(summary(fill(unit, length), length)));
  });
});
