import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The project's folder. */
export const root = join(import.meta.dirname, "..");

/** A file of the project as text. */
export function textOf(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** The shell blocks of a document, in order; only those under a heading if one is given, for example `## Upgrade`. */
export function shellBlocks(path: string, heading?: string): string[] {
  const text = textOf(path);
  const section = heading === undefined ? text : sectionOf(text, heading);
  return [...section.matchAll(/^( *)```sh\n([\s\S]*?)^\1```$/gm)].map(([, indent = "", block = ""]) =>
    block.replaceAll(new RegExp(`^${indent}`, "gm"), "").trimEnd(),
  );
}

/** From a heading to the next of its level or above; `#` in a code block begins no heading. */
function sectionOf(text: string, heading: string): string {
  const level = heading.indexOf(" ");
  const ends = new RegExp(`^#{1,${level}} `);
  const section: string[] = [];
  let inside = false;
  let code = false;
  for (const line of text.split("\n")) {
    if (/^ *```/.test(line)) code = !code;
    if (!code && ends.test(line)) inside = line === heading;
    if (inside) section.push(line);
  }
  if (section.length === 0) throw new Error(`there is no heading "${heading}"`);
  return section.join("\n");
}
