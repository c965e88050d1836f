const intro =
  /^(?:On|Am|Le|El|Il|Op|Em|Den)\b.{4,300}\b(?:wrote|schrieb.{0,80}|écrit|escribió|ha scritto|schreef.{0,80}|escreveu|skrev.{0,80})\s*:$/u;
const looksDated = /\b[0-9]{4}\b|<[^<>\s]{1,200}@[^<>\s]{1,200}>/;
const divider =
  /^(?:-{2,}\s*(?:original message|forwarded message|ursprüngliche nachricht|message d'origine)\s*-*|_{20,})$/iu;
const header = /^\*{0,2}(?:from|von|de|da|van)\*{0,2}:\s*\S/iu;
const otherHeader = /^\*{0,2}(?:sent|date|to|subject|gesendet|datum|an|betreff|envoyé|à|objet)\*{0,2}\s*:/iu;
const footer = /^reply to this email directly\b/i;

/**
 * Whether the line at `at` begins the text that an e-mail program adds below a reply: a signature, the old message with
 * its headers, or GitHub's footer. "On … wrote:" above a quote does not count: the quote is left out anyway, and people
 * answer below it.
 */
export function isReplyTail(lines: readonly { text: string }[], at: number): boolean {
  const raw = lines[at]?.text ?? "";
  if (raw === "-- ") return true;
  const text = raw.trim();
  if (text === "" || text.length > 400) return false;
  return divider.test(text) || footer.test(text) || isHeaders(lines, at, text) || isIntro(lines, at, text);
}

function isHeaders(lines: readonly { text: string }[], at: number, text: string): boolean {
  if (!header.test(text)) return false;
  return lines.slice(at + 1, at + 4).filter((line) => otherHeader.test(line.text.trim())).length >= 2;
}

/** The introduction ("On … wrote:") may be split over two lines. */
function isIntro(lines: readonly { text: string }[], at: number, text: string): boolean {
  const next = lines[at + 1]?.text.trim() ?? "";
  const spread = !text.endsWith(":") && next.length <= 200 && next.endsWith(":");
  const whole = spread ? `${text} ${next}` : text;
  if (!intro.test(whole) || !looksDated.test(whole)) return false;
  const from = at + (spread ? 2 : 1);
  const below = lines.slice(from, from + 3).find((line) => line.text.trim() !== "");
  return !below?.text.trim().startsWith(">");
}
