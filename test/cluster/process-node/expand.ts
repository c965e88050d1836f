/** `$(NAME)` becomes the variable's value, `$$` a dollar sign; what is unknown stays, as in Kubernetes. */
export function expand(text: string, variables: Record<string, string>): string {
  return text.replace(/\$\$|\$\(([^()]+)\)/g, (found, name: string | undefined) =>
    name === undefined ? "$" : (variables[name] ?? found),
  );
}
