/** The release whose clean-up failed. */
export interface ReleaseName {
  release: string;
  namespace: string;
}

/** The options after a failed clean-up: retry it, or skip it and remove the finalizers manually. Shell commands. */
export function adviceFor({ release, namespace }: ReleaseName, integrationPlurals: readonly string[]): string {
  return `Nothing of yours was deleted. Once the cause is gone, try again:
  helm uninstall ${release} --namespace ${namespace}
Or go on without this step, and remove the finalizers by hand:
  helm uninstall ${release} --namespace ${namespace} --no-hooks
${removeFinalizers(["agenttasks", ...integrationPlurals].join(","), "")}
${removeFinalizers("pods", " -l app.kubernetes.io/component=sandbox,app.kubernetes.io/managed-by=bellhop")}
`;
}

function removeFinalizers(kinds: string, selector: string): string {
  const columns = ["kind", "metadata.namespace", "metadata.name", "metadata.finalizers"].map((path) => `:.${path}`);
  return `  kubectl get ${kinds} -A${selector} --no-headers -o custom-columns=${columns.join(",")} |
    grep bellhop.dev/ | while read -r kind namespace name _; do
      kubectl patch "$kind" "$name" --namespace "$namespace" --type=merge -p '{"metadata":{"finalizers":null}}'
    done`;
}
