import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";

const maxBody = 4096;

/** Subject, the agent's summary as plain text, and our trailers as the last paragraph. */
export function commitMessage(commit: SandboxSpec["commit"], summary: string | undefined): string {
  const body = harmless(summary ?? "");
  const paragraphs = [commit.subject.trim(), body, commit.trailers.join("\n")];
  return `${paragraphs.filter(Boolean).join("\n\n")}\n`;
}

/** Invisible; keeps text readable and machines from acting on it. */
const breaker = "\u200b";

/**
 * An agent's words as they may stand in a commit: no control characters, and nothing that a host or tool acts on there: trailers,
 * mentions, issue references, closing keywords, CI skip markers.
 */
function harmless(summary: string): string {
  const text = summary
    .normalize("NFC")
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2060-\u206f\ufeff]/g,
      (char) => (char === "\t" ? " " : ""),
    );
  return shortened(text)
    .split("\n")
    .map((line) => broken(line.trimEnd()))
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}

function shortened(text: string): string {
  return text.length <= maxBody ? text : `${text.slice(0, maxBody).replace(/[\ud800-\udbff]$/, "")}…`;
}

const closing =
  /\b(close[sd]?|closing|fix(?:e[sd]|ing)?|resolve[sd]?|resolving|implement(?:s|ed|ing)?)(?=[\s:]+\S*\d)/gi;

function broken(line: string): string {
  return line
    .replaceAll(closing, (verb) => `${verb.slice(0, 1)}${breaker}${verb.slice(1)}`)
    .replace(/^(\s*[A-Za-z][A-Za-z0-9 -]{0,64}?)(\s*[:=#])/, `$1${breaker}$2`)
    .replaceAll(/@(?=[\w-])/g, `@${breaker}`)
    .replaceAll(/([#!])(?=\w)/g, `$1${breaker}`)
    .replaceAll(/\bGH-(?=\d)/gi, (prefix) => `${prefix}${breaker}`)
    .replaceAll(/(\[|\*\*\*)(?=\s*(?:skip|ci|no|actions|azurepipelines)\b|\s*no_ci)/gi, `$1${breaker}`);
}
