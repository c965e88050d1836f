/** A part of a message that acts on people or the network when Slack shows it. */
export interface ActivePart {
  /** `mention`: notifies a person, group or channel. `link`: can be followed, and unfurled. `image`: is loaded. */
  kind: "mention" | "link" | "image";
  text: string;
}

type Json = Record<string, unknown>;

const inText: { kind: ActivePart["kind"]; pattern: RegExp }[] = [
  { kind: "mention", pattern: /<(?:@|!|#)[^>\s]+[^>]*>/g },
  { kind: "link", pattern: /<(?:https?|mailto|slack|tel):[^>]*>/gi },
  // Slack makes links of bare addresses.
  { kind: "link", pattern: /(?<![<|\w])https?:\/\/[^\s<>|]+/gi },
];
const inMarkdown: typeof inText = [
  ...inText,
  { kind: "image", pattern: /!\[[^\]]*\]\([^)]*\)/g },
  { kind: "link", pattern: /(?<!!)\[[^\]]*\]\([^)]*\)/g },
];
const richKinds: Record<string, ActivePart["kind"]> = {
  user: "mention",
  usergroup: "mention",
  broadcast: "mention",
  channel: "mention",
  link: "link",
};

/**
 * Lists the active parts of a message: of its text, which notifications show, and of its blocks. Buttons are not active until somebody
 * clicks them. When in doubt a part counts as active.
 */
export function activeParts(message: { text: string; blocks: Json[] }): ActivePart[] {
  return [...partsOf(message.text, inText), ...message.blocks.flatMap(inBlock)];
}

function inBlock(node: unknown): ActivePart[] {
  if (Array.isArray(node)) return node.flatMap(inBlock);
  if (typeof node !== "object" || node === null) return [];
  const item = node as Json;
  const type = typeof item["type"] === "string" ? item["type"] : "";
  const text = typeof item["text"] === "string" ? item["text"] : "";
  if (type === "mrkdwn") return partsOf(text, inText);
  if (type === "markdown") return partsOf(text, inMarkdown);
  if (type === "image") return [{ kind: "image", text: JSON.stringify(item["image_url"] ?? item["slack_file"]) }];
  const kind = richKinds[type];
  if (kind !== undefined) return [{ kind, text: JSON.stringify(item) }];
  return Object.values(item).flatMap(inBlock);
}

function partsOf(text: string, patterns: typeof inText): ActivePart[] {
  return patterns.flatMap(({ kind, pattern }) => [...text.matchAll(pattern)].map(([found]) => ({ kind, text: found })));
}
