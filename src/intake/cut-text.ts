import { cutBytes } from "../shared/utf8.ts";

/** What stands at the end of a text that was cut. */
export const cutMark = "\n\n[… cut by Bellhop at 64 KiB]";
const maxBytes = 65_536;

/** At most 64 KiB of UTF-8, cut between characters, and visibly. */
export function cutText(text: string): string {
  return cutBytes(text, maxBytes, cutMark);
}

/** At most `max` characters, as CRDs count them, with an ellipsis where some are missing. For titles and names. */
export function cutCharacters(text: string, max: number): string {
  if (text.length <= max) return text;
  const characters = Array.from(text.slice(0, max * 2));
  return characters.length <= max ? characters.join("") : `${characters.slice(0, max - 1).join("")}…`;
}
