import { cutBytes } from "../shared/utf8.ts";

/** The mark at the end of a text that was cut. */
export const cutMark = "\n\n[… cut by Bellhop at 64 KiB]";
const maxBytes = 65_536;

/** Cuts a text to at most 64 KiB of UTF-8, between two characters, and marks the cut. */
export function cutText(text: string): string {
  return cutBytes(text, maxBytes, cutMark);
}

/** Cuts a title or a name to at most `max` characters, counted as CRDs count them, and marks the cut with an ellipsis. */
export function cutCharacters(text: string, max: number): string {
  if (text.length <= max) return text;
  const characters = Array.from(text.slice(0, max * 2));
  return characters.length <= max ? characters.join("") : `${characters.slice(0, max - 1).join("")}…`;
}
