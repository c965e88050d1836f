import { join, relative } from "node:path";
import {
  isBinaryExpression,
  isCallExpression,
  isIdentifier,
  isNoSubstitutionTemplateLiteral,
  isPropertyAccessExpression,
  isStringLiteral,
  isTaggedTemplateExpression,
  isTemplateExpression,
  SyntaxKind,
  type BinaryExpression,
  type Node,
  type SourceFile,
} from "typescript/unstable/ast";
import { API } from "typescript/unstable/sync";
import { oneLine } from "./text.ts";

/** A parsed file of the project. */
export interface ParsedFile {
  /** From the root of the repository. */
  path: string;
  source: SourceFile;
}

/**
 * Calls `use` with every TypeScript file of the project. The compiler's JavaScript API is marked unstable: package.json pins its version,
 * and a unit test fails if an update breaks it.
 */
export function withParsedFiles<T>(root: string, use: (files: ParsedFile[]) => T): T {
  const api = new API({ cwd: root });
  try {
    const [project] = api.updateSnapshot({ openProjects: [join(root, "tsconfig.json")] }).getProjects();
    if (!project) throw new Error(`${root}/tsconfig.json: the compiler opened no project; run make check-types`);
    const files = project.program.getSourceFileNames().flatMap((name) => {
      const source = name.includes("/node_modules/") ? undefined : project.program.getSourceFile(name);
      return source ? [{ path: relative(root, name), source }] : [];
    });
    return use(files);
  } finally {
    api.close();
  }
}

/** Calls `visit` with the node and all below it, parents first; false skips the nodes below. */
export function walk(node: Node, visit: (node: Node) => boolean | undefined): void {
  if (visit(node) === false) return;
  node.forEachChild((child) => {
    walk(child, visit);
    return undefined;
  });
}

/** The text of a string, of a template, or of several that `+` joins; undefined if the node is none of these. */
export function textOf(node: Node): string | undefined {
  const text = rawText(node);
  return text === undefined ? undefined : oneLine(text);
}

/** Line of the node, from 1. */
export function lineOf(node: Node, source: SourceFile): number {
  return source.text.slice(0, node.getStart(source)).split("\n").length;
}

/** The names of an expression: `deps.log.info`, and `z.string.max.describe` for `z.string().max(5).describe`. */
export function nameOf(node: Node): string {
  if (isCallExpression(node)) return nameOf(node.expression);
  if (isPropertyAccessExpression(node)) return `${nameOf(node.expression)}.${node.name.text}`;
  if (isIdentifier(node)) return node.text;
  return node.kind === SyntaxKind.ThisKeyword ? "this" : "";
}

function rawText(node: Node): string | undefined {
  if (node.parent && isTaggedTemplateExpression(node.parent)) return undefined;
  if (isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (isTemplateExpression(node))
    return (
      node.head.text + node.templateSpans.map((span) => `${inTemplate(span.expression)}${span.literal.text}`).join("")
    );
  const isSum = isBinaryExpression(node) && node.operatorToken.kind === SyntaxKind.PlusToken;
  return isSum ? sumText(node) : undefined;
}

function sumText({ left, right }: BinaryExpression): string | undefined {
  const texts = [rawText(left), rawText(right)];
  if (texts.every((text) => text === undefined)) return undefined;
  return `${texts[0] ?? inTemplate(left)}${texts[1] ?? inTemplate(right)}`;
}

function inTemplate(node: Node): string {
  return `\${${node.getText()}}`;
}
