/**
 * Expands variables as Kubernetes does: `$(NAME)` becomes the variable's value, `$$` becomes a dollar sign, and unknown names are not
 * replaced.
 */
export function expand(text: string, variables: Record<string, string>): string {
  return text.replace(/\$\$|\$\(([^()]+)\)/g, (found, name: string | undefined) =>
    name === undefined ? "$" : (variables[name] ?? found),
  );
}
