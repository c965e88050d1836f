/** A tag, with the quotes in it, to its `>` or to the end of the text; the group is empty where it does not end. */
const tag = /<\/?[A-Za-z](?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^"'>])*(>|$)/g;
const bracket = /\\[^\n]|\n[ \t]*\n|!?\[|\]\(|\]|\)/g;

/** A text that was cut, without the markup that the cut left open: a tag, an image, a link's destination or title. Linear time. */
export function withoutOpenEnd(text: string): string {
  const closed = text.replace(tag, (whole, end: string) => (end === ">" ? whole : ""));
  return closed.slice(0, openLink(closed));
}

interface Open {
  at: number;
  kind: "image" | "label" | "destination";
}

/** Where the first image or destination begins that does not end; one pass with a stack. A blank line ends every bracket, as in Markdown. */
function openLink(text: string): number {
  let open: Open[] = [];
  for (const { 0: token, index } of text.matchAll(bracket)) {
    if (token.startsWith("\n")) open = [];
    else open.push(...afterToken(open, token, index));
  }
  return open.find(({ kind }) => kind !== "label")?.at ?? text.length;
}

/** Takes what a token closes from the stack, and answers what it opens. */
function afterToken(open: Open[], token: string, at: number): Open[] {
  if (token.endsWith("[")) return [{ at, kind: token === "[" ? "label" : "image" }];
  const inDestination = open.at(-1)?.kind === "destination";
  if (token === ")" && inDestination) open.pop();
  if (!token.startsWith("]") || inDestination) return [];
  const label = open.pop();
  return label && token === "](" ? [{ at: label.at, kind: "destination" }] : [];
}
