/** The parts of a change's text that we update: the newest commit, and the state of its checks. The rest of the text stays unchanged. */
export type ChangePart = "newest" | "checks";

/** Turns a name into invisible text; text of a model cannot contain it. */
export type HiddenMarker = (name: string) => string;

/** Renders a part of ours between hidden markers. */
export function part(name: ChangePart, content: string, hidden: HiddenMarker): string {
  const [begin, end] = markersOf(name, hidden);
  return [begin, content, end].filter((line) => line !== "").join("\n\n");
}

/** Replaces the content of one of our parts; undefined if the text has no such part, as in changes that we did not open. */
export function withPart(text: string, name: ChangePart, content: string, hidden: HiddenMarker): string | undefined {
  const [begin, end] = markersOf(name, hidden);
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from + begin.length);
  if (from < 0 || to < 0) return undefined;
  return `${text.slice(0, from)}${part(name, content, hidden)}${text.slice(to + end.length)}`;
}

function markersOf(name: ChangePart, hidden: HiddenMarker): [string, string] {
  return [hidden(`change/${name}`), hidden(`change/${name}/end`)];
}
