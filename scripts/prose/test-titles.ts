import {
  isCallExpression,
  isObjectLiteralExpression,
  isPropertyAssignment,
  type CallExpression,
  type Node,
} from "typescript/unstable/ast";
import { lineOf, nameOf, textOf, walk, type ParsedFile } from "./syntax.ts";
import type { ProseText } from "./text.ts";

const tests = /^(?:it|test)(?:\.\w+)*$/;
const groups = /^describe(?:\.\w+)*$/;

/** The titles of the tests in one file, each after those of its groups: `the queue › keeps the order`. The kind is `test title`. */
export function testTitlesOf({ path, source }: ParsedFile): ProseText[] {
  if (!path.endsWith(".test.ts")) return [];
  const found: ProseText[] = [];
  within(source, []);
  return found;

  function within(node: Node, outer: readonly string[]): void {
    walk(node, (inner) => {
      const title = isCallExpression(inner) ? titleOf(inner) : undefined;
      if (!isCallExpression(inner) || title === undefined) return undefined;
      if (groups.test(nameOf(inner))) {
        for (const part of inner.arguments.slice(1)) within(part, [...outer, title]);
        return false;
      }
      for (const each of withNames(inner, title))
        found.push({ kind: "test title", path, line: lineOf(inner, source), text: [...outer, each].join(" › ") });
      return false;
    });
  }
}

function titleOf(call: CallExpression): string | undefined {
  const name = nameOf(call);
  const [title] = call.arguments;
  // `it.each(rows)` is inside `it.each(rows)(title, …)`: rows have no text of their own.
  return title && (tests.test(name) || groups.test(name)) ? textOf(title) : undefined;
}

/** `$name` in a title is replaced by the property `name` of each row. */
function withNames(call: CallExpression, title: string): string[] {
  const wanted = /\$(\w+)/.exec(title)?.[1];
  if (wanted === undefined || !isCallExpression(call.expression)) return [title];
  const names: string[] = [];
  walk(call.expression, (node) => {
    if (!isObjectLiteralExpression(node)) return undefined;
    for (const property of node.properties) {
      const name = isPropertyAssignment(property) && property.name.getText() === wanted && textOf(property.initializer);
      if (name) names.push(title.replace(`$${wanted}`, () => name));
    }
    return false;
  });
  return names.length > 0 ? names : [title];
}
