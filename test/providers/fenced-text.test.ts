import type { Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import { describe, expect, it } from "vitest";
import { renderContext, renderPrompt } from "../../src/controllers/agent-task/context.ts";
import { aTask } from "../../src/controllers/agent-task/testing.ts";
import type { ContextItem } from "../../src/integrations/connection.ts";
import { harmlessText, hostileTexts } from "./hostile-text.ts";

/** The structure of Markdown by a reader that is not ours: the type of each node, and the text of those that are no code. */
function structure(source: string): string[] {
  const inNode = (node: Nodes): string[] => {
    if (node.type === "code" || node.type === "inlineCode") return [node.type];
    const own = "value" in node ? `${node.type} ${node.value}` : node.type;
    return [own, ...("children" in node ? node.children.flatMap(inNode) : [])];
  };
  return inNode(fromMarkdown(source, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }));
}

/** With longer texts, comments are left out because of the size limit. */
const maxText = 16 * 1024;
const kinds: readonly ContextItem["kind"][] = ["title", "body", "comment", "review", "reviewComment", "log"];

/** The conversation in which a person who may not give instructions wrote everything. */
function conversation(given: string): string {
  const text = given.slice(0, maxText);
  const items = kinds.map((kind): ContextItem => ({
    author: text,
    trusted: false,
    createdAt: text.slice(0, 40),
    kind,
    text,
    ...(kind === "reviewComment" ? { location: { path: text, line: 1, hunk: text } } : {}),
  }));
  const key = text.slice(0, 253);
  return renderContext(aTask({ source: { subject: { type: "Thread", key } } }), items);
}

/** The prompt with a hostile requester, thread and repository; the request itself is for the agent. */
function prompt(text: string): string {
  return renderPrompt(
    aTask({
      actor: { id: "1", login: text.slice(0, 253) },
      source: { subject: { type: "Thread", key: text.slice(0, 253) } },
      spec: {
        prompt: "fix it",
        repository: { id: "1", host: "h", owner: text.slice(0, 100), name: text.slice(0, 100) },
      },
    }),
  );
}

describe("untrusted text for the agent", () => {
  it.each(hostileTexts)("stays within its fences in the conversation: $name", ({ text }) => {
    expect(structure(conversation(text))).toEqual(structure(conversation(harmlessText)));
  });

  it.each(hostileTexts)("stays within its code in the prompt: $name", ({ text }) => {
    expect(structure(prompt(text))).toEqual(structure(prompt(harmlessText)));
  });
});
