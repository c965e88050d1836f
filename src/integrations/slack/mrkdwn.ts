/**
 * Converts the text of a Slack message to Markdown: references in `<…>` get the name that a reader sees, bold and strikethrough get their
 * Markdown marks, and `&amp;`, `&lt;`, `&gt;` become characters. Code keeps its text. Mentions of `botId` are left out. Takes linear time.
 * The result is as untrusted as the text. Source: Slack, "Formatting message text".
 */
export function decode(text: string, botId?: string): string {
  return text
    .split(codeParts)
    .map((part, at) => (at % 2 === 1 ? decodeCode(part, botId) : decodeProse(part, botId)))
    .join("");
}

/**
 * Splits a text into prose and code; the odd parts are code. A fence or an inline code that does not end is prose. Each alternative looks at a
 * character once: a fence may hold single backticks, but no three, and inline code ends at the next backtick or line end.
 */
const codeParts = /(```(?:[^`]|`(?!``))*```|`[^`\n]+`)/;

/** A reference: a person, channel, group, date or link, with an optional name after `|`. */
const reference = /<([^<>|\n]*)(?:\|([^<>\n]*))?>/g;

const prose: readonly { find: RegExp; write: string }[] = [
  { find: /(?<![\w*])\*(?=[^\s*])([^*\n]*)(?<=[^\s*])\*(?![\w*])/g, write: "**$1**" },
  { find: /(?<![\w~])~(?=[^\s~])([^~\n]*)(?<=[^\s~])~(?![\w~])/g, write: "~~$1~~" },
];

function decodeProse(text: string, botId: string | undefined): string {
  const marked = prose.reduce((out, { find, write }) => out.replace(find, write), text);
  return unescaped(marked.replace(reference, (_, target: string, name?: string) => nameOf(target, name, { botId })));
}

/** Slack makes links of addresses even in code; there only their text counts. */
function decodeCode(text: string, botId: string | undefined): string {
  return unescaped(
    text.replace(reference, (_, target: string, name?: string) => nameOf(target, name, { botId, isCode: true })),
  );
}

interface Place {
  botId: string | undefined;
  isCode?: boolean;
}

function nameOf(target: string, name: string | undefined, { botId, isCode }: Place): string {
  const label = name === "" ? undefined : name;
  const rest = target.slice(1);
  const sign = target.slice(0, 1);
  if (sign === "@" && rest === botId) return "";
  if (sign === "@" || sign === "#") return `${sign}${label ?? rest}`;
  if (sign === "!") return special(rest, label);
  return isCode ? (label ?? target) : link(target, label);
}

function link(target: string, label: string | undefined): string {
  if (label === undefined || label === target) return target.replace(/^mailto:/, "");
  return `[${label.replace(/[[\]]/g, String.raw`\$&`)}](${target.replace(/[()\s]/g, percent)})`;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** `<!here>`, `<!subteam^S1|@team>`, `<!date^1700000000^{date}|a date>`. */
function special(name: string, label: string | undefined): string {
  const [kind = "", id = ""] = name.split("^", 2);
  if (kind === "date") return label ?? id;
  if (kind === "subteam") return label === undefined ? `@${id}` : `@${label.replace(/^@/, "")}`;
  return `@${label?.replace(/^@/, "") ?? kind}`;
}

/** Once and in this order: `&amp;lt;` is the text `&lt;`. */
function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
