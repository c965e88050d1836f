/** Style of a text element. */
export interface Style {
  bold?: true;
  italic?: true;
  strike?: true;
  code?: true;
}

/** An element of a line of rich text. Slack shows `text` as it is. Source: Slack, "Rich text block". */
export type TextElement =
  | { type: "text"; text: string; style?: Style }
  | { type: "user"; user_id: string }
  | { type: "link"; url: string; text: string };

/** A part of a block of rich text. */
export type RichElement =
  | { type: "rich_text_section"; elements: TextElement[] }
  | { type: "rich_text_quote"; elements: TextElement[] }
  | { type: "rich_text_preformatted"; elements: TextElement[] }
  | {
      type: "rich_text_list";
      style: "bullet" | "ordered";
      indent: number;
      elements: { type: "rich_text_section"; elements: TextElement[] }[];
    };

/** A block of a message. */
export type SlackBlock =
  | { type: "rich_text"; elements: RichElement[] }
  | { type: "actions"; block_id: string; elements: Button[] }
  | { type: "section"; block_id: string; text: PlainText; accessory?: Button | Menu };

/** Text without markup. Source: Slack, "Text object". */
export interface PlainText {
  type: "plain_text";
  text: string;
  emoji: false;
}

/** A button. */
export interface Button {
  type: "button";
  action_id: string;
  text: PlainText;
  value: string;
  style?: "primary" | "danger";
}

/** A menu whose choices Slack asks us for. Source: Slack, "Select menu of external data source". */
export interface Menu {
  type: "external_select";
  action_id: string;
  placeholder: PlainText;
  /** From how many typed characters on Slack asks; 0: at once. */
  min_query_length: number;
}

/** A choice of a menu. */
export interface Option {
  text: PlainText;
  value: string;
}

/** A text without markup, cut to `maxCharacters`. */
export function plainText(text: string, maxCharacters: number): PlainText {
  return {
    type: "plain_text",
    text: text.length <= maxCharacters ? text : `${headOf(text, maxCharacters - 1)}…`,
    emoji: false,
  };
}

/** How many characters the elements show. */
export function sizeOf(elements: readonly TextElement[]): number {
  return elements.reduce((sum, element) => sum + (element.type === "user" ? element.user_id : element.text).length, 0);
}

/** The elements within `room` characters; the last one is cut with a mark. Elements without text are left out, because Slack refuses them. */
export function fitted(elements: readonly TextElement[], room: number): TextElement[] {
  const out: TextElement[] = [];
  let left = room;
  for (const element of elements) {
    const size = sizeOf([element]);
    if (size === 0) continue;
    if (size > left) {
      if (left > 0 && element.type === "text") out.push({ ...element, text: `${headOf(element.text, left - 1)}…` });
      break;
    }
    left -= size;
    out.push(element);
  }
  return out;
}

/** Never ends within a character. */
function headOf(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
