import type { Node } from "typescript/unstable/ast";
import { walk, type ParsedFile } from "./syntax.ts";
import { oneLine, type ProseText } from "./text.ts";

/** The docstrings of one file; the kind of each is `docstring`. */
export function docstringsOf({ path, source }: ParsedFile): ProseText[] {
  const found = new Map<number, ProseText>();
  walk(source, (node) => {
    for (const comment of (node as Node & { jsDoc?: readonly Node[] }).jsDoc ?? []) {
      const start = source.text.indexOf("/**", comment.pos);
      const line = source.text.slice(0, start).split("\n").length;
      found.set(start, { kind: "docstring", path, line, text: plain(source.text.slice(start, comment.end)) });
    }
    return undefined;
  });
  return [...found.values()];
}

/** Without the marks of the comment. */
function plain(comment: string): string {
  return oneLine(
    comment
      .replace(/^\/\*\*/, "")
      .replace(/\*\/$/, "")
      .replaceAll(/\n\s*\*/g, "\n"),
  );
}
