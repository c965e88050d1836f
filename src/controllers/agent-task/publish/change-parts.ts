/** Our parts in the text of a change: what the newest commit is, and how it stands with its checks. The rest stays as it was opened, or as people made it. */
export type ChangePart = "newest" | "checks";

/** Turns a name into text that no reader sees; nothing a model wrote can contain it. */
export type HiddenMarker = (name: string) => string;

/** A part of ours, between hidden markers. */
export function part(name: ChangePart, words: string, hidden: HiddenMarker): string {
  const [begin, end] = markersOf(name, hidden);
  return [begin, words, end].filter((line) => line !== "").join("\n\n");
}

/** The text with new words in one of our parts; undefined where it has no such part, as in changes that we did not open. */
export function withPart(text: string, name: ChangePart, words: string, hidden: HiddenMarker): string | undefined {
  const [begin, end] = markersOf(name, hidden);
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from + begin.length);
  if (from < 0 || to < 0) return undefined;
  return `${text.slice(0, from)}${part(name, words, hidden)}${text.slice(to + end.length)}`;
}

function markersOf(name: ChangePart, hidden: HiddenMarker): [string, string] {
  return [hidden(`change/${name}`), hidden(`change/${name}/end`)];
}
