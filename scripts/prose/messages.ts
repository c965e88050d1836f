import {
  isBinaryExpression,
  isCallExpression,
  isNewExpression,
  isPropertyAccessExpression,
  isPropertyAssignment,
  SyntaxKind,
  type CallExpression,
  type NewExpression,
  type Node,
} from "typescript/unstable/ast";
import { lineOf, nameOf, textOf, walk, type ParsedFile } from "./syntax.ts";
import type { ProseText } from "./text.ts";

/** How a string is used: the call that it is an argument of, or the property that it is the value of. */
interface Use {
  /** `log.info`, `refused`; of a constructor with `new ` before it. */
  call?: string;
  /** `message`. */
  property?: string;
}

/** Kinds by the first rule that matches. Other strings are listed too if they read as prose: better too many than too few. */
const kinds: readonly { kind: string; path?: RegExp; call?: RegExp; property?: RegExp }[] = [
  { kind: "log", call: /(?:^|\.)log\.(?:trace|debug|info|warn|error|fatal)$/ },
  { kind: "API description", call: /\.describe$/, path: /^src\// },
  { kind: "admission refusal", path: /^scripts\/generate\/policies/ },
  { kind: "API description", property: /^(?:description|message)$/, path: /^(?:src\/api|scripts\/generate)\// },
  { kind: "metric", call: /^(?:new )?(?:counter|gauge|histogram|Counter|Gauge|Histogram)$/ },
  { kind: "metric", path: /\/metrics\.ts$/ },
  { kind: "HTTP answer", path: /^src\/(?:gateway|broker)\// },
  { kind: "HTTP answer", path: /^src\/intake\/(?!cel)/ },
  { kind: "HTTP answer", path: /^src\/integrations\/\w+\/events/ },
  { kind: "report or change", path: /^src\/controllers\/agent-task\/(?:report|commands)\// },
  { kind: "report or change", path: /^src\/controllers\/agent-task\/publish\/change-/ },
  { kind: "error", call: /^new \w*(?:Error|Failure)$/, path: /^src\// },
  { kind: "condition or Event", path: /^src\/(?:controllers|courier|sandbox)\// },
  { kind: "script", path: /^(?:scripts|test)\// },
  { kind: "provider text", path: /^src\/integrations\// },
  { kind: "other", path: /^src\// },
];

/** Arguments of these calls are code, patterns or protocol, even if they look like prose. */
const codeCalls =
  /(?:^|\.)(?:request|graphql|includes|startsWith|endsWith|split|replace|replaceAll|join|indexOf|exec|test|match|matchAll|RegExp|sh|has|get|header|setHeader|set|parse|import|require|expect|toBe|toEqual|spawn|execFile)$/;
const prose = /[A-Za-z]{2,}[,;:)”"'`]* [A-Za-z(`'"$@<{]|\} [a-z]{2}/;
/** A string inside a template: `${name}: ${message ?? "cannot be pulled"}`. */
const nested = /"[^"`]*[a-z]{2} [a-z]{2}[^"`]*"/;
const code =
  /^(?:[A-Z]+ \/|query\b|mutation\b|fragment\b|\{|#!|--?\w|[\w.]+\(|set -)|\bhas\(|&& |=> |\bself\.|\{ \w+ \{/;

/** Files that only tests use. */
const testOnly = /\.test\.ts$|(?:^|\/)(?:testing|fake-[\w-]+)\.ts$|^src\/courier\/stand-in\//;
/** Commands that people run; users never see messages of the other files in `test`. */
const commands =
  /^(?:src\/|scripts\/(?!words\.ts|find-words\.ts|prose\/)|test\/(?:demo|cluster\/node(?!\/network))\/|test\/providers\/[\w-]+\/main\.ts)/;

/** The messages in one file. */
export function messagesOf({ path, source }: ParsedFile): ProseText[] {
  if (testOnly.test(path) || !commands.test(path)) return [];
  const found: ProseText[] = [];
  walk(source, (node) => {
    const text = textOf(node);
    if (text === undefined) return undefined;
    const use = useOf(node);
    const kind = use && kindOf(path, use, text);
    if (kind !== undefined) found.push({ kind, path, line: lineOf(node, source), text });
    return false;
  });
  return found;
}

function kindOf(path: string, use: Use, text: string): string | undefined {
  const { kind, call } = kinds.find((rule) => fits(rule, path, use)) ?? {};
  if (kind === "log" || (kind === "API description" && call)) return kind;
  return isProse(text, use, kind === "report or change") ? kind : undefined;
}

function isProse(text: string, { call = "" }: Use, orBold: boolean): boolean {
  const words = text.replaceAll(/\$\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}/g, "${}");
  // An error's message may look like code: "ask with has() first".
  if (/^new \w*(?:Error|Failure|Refusal)$/.test(call)) return /[A-Za-z]{2}/.test(words) && words.includes(" ");
  if (codeCalls.test(call) || code.test(words)) return false;
  return prose.test(words) || nested.test(text) || (orBold && words.includes("**"));
}

function fits(rule: (typeof kinds)[number], path: string, use: Use): boolean {
  return (
    (rule.path?.test(path) ?? true) &&
    (rule.call === undefined || (use.call !== undefined && rule.call.test(use.call))) &&
    (rule.property === undefined || (use.property !== undefined && rule.property.test(use.property)))
  );
}

/** The use of the node's value; undefined if it is a name, a type, an import or one side of a comparison. */
function useOf(node: Node): Use | undefined {
  const { parent } = node;
  if (nowhere.has(parent.kind)) return undefined;
  if (through.has(parent.kind)) return useOf(parent);
  if (isCallExpression(parent) || isNewExpression(parent)) return useInCall(node, parent);
  if (isPropertyAssignment(parent)) return parent.name === node ? undefined : { property: parent.name.getText() };
  if (isBinaryExpression(parent)) return joins.has(parent.operatorToken.kind) ? useOf(parent) : undefined;
  return isPropertyAccessExpression(parent) ? useOfMember(parent) : {};
}

/** `["a", "b"].join(" ")` has the use of the call's result. */
function useOfMember(member: Node): Use | undefined {
  return isCallExpression(member.parent) ? useOf(member.parent) : {};
}

function useInCall(node: Node, call: CallExpression | NewExpression): Use | undefined {
  if (call.expression === node) return useOf(call);
  return { call: `${isNewExpression(call) ? "new " : ""}${nameOf(call.expression)}` };
}

const joins = new Set([
  SyntaxKind.PlusToken,
  SyntaxKind.BarBarToken,
  SyntaxKind.QuestionQuestionToken,
  SyntaxKind.AmpersandAmpersandToken,
  SyntaxKind.EqualsToken,
]);

const through = new Set([
  SyntaxKind.ParenthesizedExpression,
  SyntaxKind.ConditionalExpression,
  SyntaxKind.AsExpression,
  SyntaxKind.SatisfiesExpression,
  SyntaxKind.ArrayLiteralExpression,
  SyntaxKind.SpreadElement,
]);

const nowhere = new Set([
  SyntaxKind.ImportDeclaration,
  SyntaxKind.ExportDeclaration,
  SyntaxKind.LiteralType,
  SyntaxKind.CaseClause,
  SyntaxKind.ElementAccessExpression,
  SyntaxKind.ComputedPropertyName,
  SyntaxKind.PropertySignature,
  SyntaxKind.TemplateSpan,
]);
