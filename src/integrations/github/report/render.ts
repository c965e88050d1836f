import type { Block, Line, Question, Report, Span } from "../../report.ts";
import { withoutInvisible } from "../../../shared/markdown/invisible.ts";
import { encoder, quoter } from "../encode.ts";

/** Maximum size of one item of a checklist or list that is untrusted text, in bytes. */
const maxItemBytes = 600;
/** The same of any other untrusted text in a line, so that a report of several lines stays within GitHub's limit for a comment. */
const maxLineBytes = 8_192;

/** Renders reports and lines as GitHub Markdown. */
export interface Renderer {
  report: (report: Report) => string;
  line: (line: Line, mention: string | undefined) => string;
  encode: ReturnType<typeof encoder>;
}

/** Creates the renderer for one server: links lead to its host only. */
export function renderer(host: string): Renderer {
  const pens: Pens = { encode: encoder(host), quote: quoter(host) };
  return {
    encode: pens.encode,
    line: (line, mention) => renderLine(line, { ...pens, mention }),
    report: ({ blocks, question, bot }) =>
      [
        ...blocks.map((block) => renderBlock(block, { ...pens, mention: bot?.mention })),
        question ? ask(question, { ...pens, mention: bot?.mention }) : "",
      ]
        .filter((part) => part !== "")
        .join("\n\n"),
  };
}

interface Pens {
  encode: ReturnType<typeof encoder>;
  quote: ReturnType<typeof quoter>;
}
type Tools = Pens & { mention: string | undefined };

function renderBlock(block: Block, tools: Tools): string {
  if ("line" in block) return renderLine(block.line, tools);
  if ("summary" in block) return tools.encode(block.summary, { maxBytes: block.maxBytes });
  if ("list" in block)
    return block.list.map((line, at) => `${block.numbered ? `${at + 1}.` : "-"} ${renderLine(line, tools)}`).join("\n");
  return block.checklist.map(({ done, line }) => `- [${done ? "x" : " "}] ${renderLine(line, tools)}`).join("\n");
}

function renderLine(line: Line, tools: Tools): string {
  return line.map((span) => renderSpan(span, tools)).join("");
}

function renderSpan(span: Span, tools: Tools): string {
  if (typeof span === "string") return span;
  if ("strong" in span) return `**${span.strong}**`;
  if ("code" in span) return code(span.code);
  if ("untrusted" in span) return untrusted(span, tools);
  if ("quote" in span) return tools.quote(span.quote, span.url);
  if ("command" in span) return code(`@${tools.mention ?? "bot"} ${span.command}`);
  return "change" in span ? changeName(span.change) : personName(span, tools);
}

function untrusted({ untrusted: text, inItem }: Extract<Span, { untrusted: string }>, { encode }: Tools): string {
  return inItem ? encode(oneLine(text), { maxBytes: maxItemBytes }) : encode(text, { maxBytes: maxLineBytes });
}

function changeName({ number, draft }: Extract<Span, { change: unknown }>["change"]): string {
  return `${draft ? "draft " : ""}PR #${number}`;
}

/** A bot is never mentioned: it could answer, and would be answered. */
function personName({ person, notify }: Extract<Span, { person: unknown }>, { encode, quote }: Tools): string {
  return notify && !person.login.endsWith("[bot]") ? mentionOf(person.login, quote) : encode(`@${person.login}`);
}

/** Code ends at a backtick or an empty line, so the text has neither. Comments are broken, because our own markers are found without a reader. */
function code(text: string): string {
  return `\`${oneLine(withoutInvisible(text.replaceAll("`", ""))).replaceAll("<!--", "<!\u200b--")}\``;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** Mentions a person. A login of an unexpected form is quoted as plain text, so that it notifies nobody. */
function mentionOf(login: string, quote: Pens["quote"]): string {
  return /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$/.test(login) ? `@${login}` : quote(login);
}

/** The question may quote a name that somebody wrote, so it is encoded. */
function ask({ text, choices }: Question, tools: Tools): string {
  const answers = choices.map((choice) => `- ${renderSpan({ command: `use ${choice}` }, tools)}`);
  return [`**${tools.encode(oneLine(text))}**`, ...answers].join("\n");
}
