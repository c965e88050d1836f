import { z } from "zod";
import type { AgentEvent } from "../protocol/channel.ts";
import type { AgentReader } from "./agent.ts";

/**
 * The dialect of `custom` agents (docs/custom-agent.md): one JSON object per line, with the `type` `progress`, `message` or `result`.
 * Values that are too long are truncated; other lines are ignored.
 */
export const custom: AgentReader = {
  read(line) {
    const parsed = dialect.safeParse(parseJSON(line));
    return parsed.success ? parsed.data : undefined;
  },
};

const upTo = (length: number) =>
  z
    .string()
    .min(1)
    .transform((text) => cut(text, length));

const dialect: z.ZodType<AgentEvent> = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("progress"),
    text: upTo(512),
    checklist: z
      .array(z.object({ text: upTo(256), done: z.boolean() }))
      .transform((items) => items.slice(0, 32))
      .exactOptional(),
  }),
  z.object({ type: z.literal("message"), text: upTo(4096) }),
  z.object({ type: z.literal("result"), summary: upTo(16_384) }),
]);

function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const kept = text.slice(0, length - 1);
  // A cut between the halves of a surrogate pair would leave half a character.
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
}

function parseJSON(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
