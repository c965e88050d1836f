import type { CodeHost } from "../../code-host.ts";
import type { ChangeText } from "../../report.ts";
import type { Renderer } from "../report/render.ts";
import { hiddenMarker } from "../report/hidden-marker.ts";

const maxSummaryBytes = 16_384;
const maxTitleCharacters = 200;

/** Renders title and body of a new change. Only our own text can close an issue; all text of a model goes through the encoder. */
export function changeTexts(renderer: Renderer): {
  render: (text: ChangeText) => { title: string; body: string };
  bodyWith: CodeHost["bodyWith"];
} {
  return {
    render: (text) => ({ title: titleOf(text, renderer), body: bodyOf(text, renderer) }),
    bodyWith: (body, parts) => withParts(body, parts, renderer),
  };
}

function titleOf({ title }: ChangeText, { encode }: Renderer): string {
  const clean = title.replaceAll(/\s+/g, " ").trim();
  return encode(cutTitle(clean)).split("\n")[0] ?? "";
}

/** Cuts a title and marks the cut with an ellipsis. Counts characters, not UTF-16 units. */
function cutTitle(title: string): string {
  if (title.length <= maxTitleCharacters) return title;
  const characters = Array.from(title.slice(0, maxTitleCharacters * 2));
  if (characters.length <= maxTitleCharacters) return characters.join("");
  return `${characters.slice(0, maxTitleCharacters - 1).join("")}…`;
}

function bodyOf(text: ChangeText, renderer: Renderer): string {
  const { newest, checks, mention } = text;
  return [
    subjectOf(text.subject),
    summaryOf(text.summary, renderer),
    "---",
    part("newest", renderer.line(newest, mention)),
    part("checks", renderer.line(checks, mention)),
  ]
    .filter((section) => section !== undefined)
    .join("\n\n");
}

/**
 * Replaces the parts of ours in the body of a change. After a crash the body may name the newest commit already: then it keeps that part, because in
 * a change that was opened for the commit the summary is at the top.
 */
function withParts(body: string, parts: Parameters<CodeHost["bodyWith"]>[1], renderer: Renderer): string | undefined {
  const { newest, checks, summary, mention } = parts;
  const withChecks = checks ? withPart(body, "checks", renderer.line(checks, mention)) : body;
  if (withChecks === undefined || !newest) return withChecks;
  const line = renderer.line(newest, mention);
  if (body.includes(part("newest", line))) return withChecks;
  const content = [summaryOf(summary, renderer), line].filter((section) => section !== undefined).join("\n\n");
  return withPart(withChecks, "newest", content);
}

function summaryOf(summary: string | undefined, { encode }: Renderer): string | undefined {
  return summary === undefined ? undefined : encode(summary, { maxBytes: maxSummaryBytes });
}

function subjectOf(subject: ChangeText["subject"]): string | undefined {
  if (!subject) return undefined;
  const { relation, number } = subject;
  if (relation === "Closes") return `Fixes #${number}`;
  return relation === "OnTopOf" ? `On top of #${number}.` : `Requested in #${number}.`;
}

type PartName = "newest" | "checks";

/** A part of ours between hidden markers, by which it is found again. */
function part(name: PartName, content: string): string {
  return [hiddenMarker(`change/${name}`), content, hiddenMarker(`change/${name}/end`)]
    .filter((line) => line !== "")
    .join("\n\n");
}

/** Replaces the content of one of our parts; undefined if the text has no such part, as in changes that we did not open. */
function withPart(text: string, name: PartName, content: string): string | undefined {
  const [begin, end] = [hiddenMarker(`change/${name}`), hiddenMarker(`change/${name}/end`)];
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from + begin.length);
  if (from < 0 || to < 0) return undefined;
  return `${text.slice(0, from)}${part(name, content)}${text.slice(to + end.length)}`;
}
