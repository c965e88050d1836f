/** The most characters of an excerpt, which a report quotes in one line. */
const maxCharacters = 80;

/** Cuts words to the length of an excerpt, between two words if one ends near the limit. `more`: there was further text after the words. */
export function shortened(words: string, more: boolean): string {
  const characters = Array.from(words);
  if (characters.length <= maxCharacters - 2) return more && words !== "" ? `${words} …` : words;
  if (characters.length <= maxCharacters && !more) return words;
  const short = characters.slice(0, maxCharacters - 2).join("");
  return `${short.replace(/\s+\S{0,20}$/, "")} …`;
}
