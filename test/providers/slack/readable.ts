import type { Message } from "./state/channels.ts";
import type { World } from "./state/world.ts";

type Json = Record<string, unknown>;

/** A message as people read it: menus and buttons are in brackets, and mentions are names. */
export function readable(world: World, { blocks, text }: Pick<Message, "blocks" | "text">): string {
  const name = (id: unknown): string => world.data.users.find((user) => user.id === id)?.name ?? String(id);
  if (blocks === null || blocks.length === 0)
    return text.replaceAll(/<@([UW]\w+)>/g, (_, id: string) => `@${name(id)}`);
  return blocks.map((block) => blockText(block, name)).join("\n");
}

function blockText(block: Json, name: (id: unknown) => string): string {
  switch (block["type"]) {
    case "rich_text":
      return list(block["elements"])
        .map((element) => richText(element, name))
        .join("\n")
        .replaceAll(/\n{3,}/g, "\n\n");
    case "actions":
      return list(block["elements"]).map(control).join(" ");
    default:
      return [textOf(block["text"]), ...(block["accessory"] === undefined ? [] : [control(block["accessory"] as Json)])]
        .filter((part) => part !== "")
        .join("\n");
  }
}

/** A section, quotation or block of code, or a list with one line for each item. */
function richText(element: Json, name: (id: unknown) => string): string {
  const children = list(element["elements"]);
  if (element["type"] !== "rich_text_list") return children.map((child) => inline(child, name)).join("");
  const indent = "  ".repeat(Number(element["indent"] ?? 0));
  return children.map((item) => `${indent}• ${richText(item, name)}`).join("\n");
}

function inline(element: Json, name: (id: unknown) => string): string {
  if (element["type"] === "user") return `@${name(element["user_id"])}`;
  const text = textOf(element["text"]);
  return element["type"] === "link" ? `${text} (${String(element["url"])})` : text;
}

function control(element: Json): string {
  const options = list(element["options"]).map((option) => textOf(option["text"]));
  const label = textOf(element["text"] ?? element["placeholder"]);
  return options.length > 0 ? `[${label}: ${options.join(" | ")}]` : `[${label}]`;
}

function list(value: unknown): Json[] {
  return (value ?? []) as Json[];
}

/** The text of an element, or of a text object. */
function textOf(value: unknown): string {
  if (typeof value === "object" && value !== null) return textOf((value as Json)["text"]);
  return typeof value === "string" ? value : "";
}
