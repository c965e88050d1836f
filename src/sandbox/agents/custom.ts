import { z } from "zod";
import type { AgentEvent } from "../protocol/channel.ts";
import type { AgentReader } from "./agent.ts";

/**
 * The dialect of `custom` agents (docs/custom-agent.md): one JSON object per line, with the `type` `progress`, `message` or `result`.
 * Values that are too long are truncated; other lines are ignored.
 */
export const custom: AgentReader = {
  read: (line) => eventOf(parseJSON(line)),
  readCut: (beginning) => eventOf(parseJSON(closed(beginning))),
};

function eventOf(value: unknown): AgentEvent | undefined {
  const parsed = dialect.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** The mark of a text that was cut, where there is room for words. */
export const cutMark = "\n\n[… cut by Bellhop]";

/** The most items of a checklist: the protocol's limit. */
const maxItems = 32;
interface Item {
  text: string;
  done: boolean;
}

const upTo = (length: number, mark = "…") =>
  z
    .string()
    .min(1)
    .transform((text) => cut(text, length, mark));

const dialect: z.ZodType<AgentEvent> = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("progress"),
    text: upTo(512),
    checklist: z
      .array(z.object({ text: upTo(256), done: z.boolean() }))
      .transform(firstItems)
      .exactOptional(),
  }),
  z.object({ type: z.literal("message"), text: upTo(4096, cutMark) }),
  z.object({ type: z.literal("result"), summary: upTo(16_384, cutMark) }),
]);

/** A longer list ends with the number of the items that are left out. */
function firstItems(items: Item[]): Item[] {
  if (items.length <= maxItems) return items;
  const left = items.slice(maxItems - 1);
  const open = left.filter(({ done }) => !done).length;
  const text = `… ${left.length} more items, ${open} of them open`;
  return [...items.slice(0, maxItems - 1), { text, done: open === 0 }];
}

function cut(text: string, length: number, mark: string): string {
  if (text.length <= length) return text;
  const kept = text.slice(0, length - mark.length);
  // A cut between the halves of a surrogate pair would leave half a character.
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}${mark}`;
}

const closers: Readonly<Record<string, string>> = { "{": "}", "[": "]" };
/** An incomplete escape sequence, or what is left of half a character. */
const brokenEnd = /(?<!\\)((?:\\\\)*)\\(?:u[0-9A-Fa-f]{0,3})?$|\ufffd{1,3}$/;

/** Closes the string and the objects that are open at the end of a beginning of JSON; the string ends with the mark. */
function closed(beginning: string): string {
  const open: string[] = [];
  let inString = false;
  for (const [token] of beginning.matchAll(/\\[^]|["{}[\]]/g)) {
    if (token === '"') inString = !inString;
    else if (inString) continue;
    else if (closers[token] === undefined) open.pop();
    else open.push(closers[token]);
  }
  const string = inString ? beginning.replace(brokenEnd, "$1") + JSON.stringify(cutMark).slice(1) : beginning;
  return string + open.toReversed().join("");
}

function parseJSON(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
