import { outline, plainBlocks } from "../../../shared/markdown/outline.ts";
import { withoutInvisible } from "../../../shared/markdown/invisible.ts";
import { shortened } from "../../excerpt.ts";
import { decode } from "../mrkdwn.ts";

/** How much of a text is read: more than what is shown, for markup that is taken out. */
const maxRead = 65_536;
const maxScanned = 8_192;

/**
 * The beginning of the request in a message: the text after the bot's mention, or the text before it if nothing follows. One line of at most
 * 80 characters as a reader sees them, without the mention and the markup. Still untrusted.
 */
export function excerpt(text: string, bot: { mention: string | undefined; botId: string | undefined }): string {
  const read = text.slice(0, maxRead);
  const call = mentionIn(read, bot.botId);
  const asked = call === undefined ? "" : beginningOf(read.slice(call), bot);
  return asked === "" ? beginningOf(read, bot) : asked;
}

/** The end of the bot's first mention. */
function mentionIn(text: string, botId: string | undefined): number | undefined {
  if (botId === undefined || !/^[A-Z0-9]+$/.test(botId)) return undefined;
  const found = new RegExp(String.raw`<@${botId}(?:\|[^<>\n]*)?>`).exec(text);
  return found ? found.index + found[0].length : undefined;
}

function beginningOf(text: string, { mention, botId }: Parameters<typeof excerpt>[1]): string {
  const scanned = text.slice(0, maxScanned);
  const decoded = withoutName(withoutInvisible(decode(scanned, botId)), mention);
  const blocks = plainBlocks(outline(decoded, { maxBytes: maxScanned * 4, maxNodes: 500 }))
    .map((block) => block.replace(/\s+/g, " ").trim())
    .map((block, at) => (at === 0 ? block.replace(/^[:,]\s*/, "") : block))
    .filter((block) => block !== "");
  return shortened(blocks[0] ?? "", blocks.length > 1 || text.length > scanned.length);
}

function withoutName(text: string, mention: string | undefined): string {
  if (mention === undefined || mention === "") return text;
  const name = mention.replace(/[^A-Za-z0-9]/g, String.raw`\$&`);
  return text.replace(new RegExp(String.raw`(?<![\w@/])@${name}(?![\w-])[:,]?`, "gi"), "");
}
