import { oneLine, type ProseText } from "./text.ts";

/** Messages in files that are not TypeScript: the chart's notes and refusals, and the output of shell scripts and the Makefile. */
export function plainMessagesOf(path: string, text: string): ProseText[] {
  if (path.endsWith("/NOTES.txt"))
    return lines(text)
      .filter(({ text: line }) => !line.startsWith("{{-"))
      .map((line) => ({ kind: "chart", path, ...line }));
  if (path.startsWith("charts/")) return quoted(path, text, "chart", /\b(?:fail|required) (?:\(printf )?"([^"]+)"/g);
  return [
    ...quoted(path, text, "script", /\becho (?:-n )?"((?:[^"\\]|\\.)*[A-Za-z]{2} [^"]*)"/g),
    ...quoted(path, text, "script", /^[a-z0-9-]+:.*?## (.+)$/gm),
  ];
}

function lines(text: string): { line: number; text: string }[] {
  return text
    .split("\n")
    .map((line, index) => ({ line: index + 1, text: oneLine(line) }))
    .filter(({ text: line }) => line !== "");
}

function quoted(path: string, text: string, kind: string, pattern: RegExp): ProseText[] {
  return Array.from(text.matchAll(pattern), ({ index, 1: found = "" }) => {
    const line = text.slice(0, index).split("\n").length;
    return { kind, path, line, text: oneLine(found) };
  });
}
