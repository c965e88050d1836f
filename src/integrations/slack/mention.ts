import { withoutInvisible } from "../../shared/markdown/invisible.ts";
import { decode } from "./mrkdwn.ts";

/** A mention that calls the bot. */
export interface Mention {
  /** The id that the text mentions. */
  botId: string;
  /** The text after the mention, to the end, as a reader sees it; a leading `:` or `,` is left out. */
  words: string;
}

/** Quoted lines, a quote that goes to the end, and mentions. */
const quoteOrMention = /^&gt;&gt;&gt;[^]*|^&gt;.*$|<@([A-Za-z0-9-]{1,40})(?:\|[^<>]*)?>/gm;

/** Finds the first mention of one of the ids that is not in a quote. Takes time linear in the length of the text. */
export function findMention(text: string, botIds: ReadonlySet<string>): Mention | undefined {
  for (const { 0: found, 1: botId, index } of text.matchAll(quoteOrMention)) {
    if (botId !== undefined && botIds.has(botId))
      return { botId, words: wordsOf(text.slice(index + found.length), botId) };
  }
  return undefined;
}

/** A text from which a command can be parsed: as a reader sees it, without mentions of the bot. */
export function wordsOf(text: string, botId?: string): string {
  return visible(text, botId)
    .replace(/^\s*[:,]/, "")
    .trim();
}

/** A text as a reader sees it, as Markdown, without mentions of the bot. */
export function visible(text: string, botId?: string): string {
  return withoutInvisible(decode(text, botId)).trim();
}
