/** The fields of a syntax tree's node that the rule reads. */
interface Node {
  type: string;
  expression?: Node;
  typeAnnotation?: Node;
}

interface Context {
  report(problem: { node: Node; message: string }): void;
}

/**
 * The linter's own rules of this repository.
 *
 * `no-double-cast` refuses `as unknown as` and `as never as`: the compiler then checks nothing, so that a fake may lack the field that the
 * code under test begins to read.
 */
const plugin = {
  meta: { name: "bellhop" },
  rules: {
    "no-double-cast": {
      create: (context: Context) => ({
        TSAsExpression(node: Node) {
          const inner = node.expression;
          if (inner?.type !== "TSAsExpression") return;
          context.report({
            node,
            message:
              "Do not cast twice: build the whole object with a builder of a testing.ts, or disable the rule with the reason.",
          });
        },
      }),
    },
  },
};

export default plugin;
