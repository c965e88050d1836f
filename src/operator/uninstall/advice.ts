/** The release whose clean-up failed. */
export interface ReleaseName {
  release: string;
  namespace: string;
  brokerNamespace: string;
}

/**
 * Advice after a failed clean-up: try again, keep Bellhop, or continue without the clean-up and remove the finalizers with kubectl.
 * Contains shell commands. To keep Bellhop, `helm rollback` is needed: helm marks the release as `uninstalling` and refuses to upgrade it.
 */
export function adviceFor(name: ReleaseName): string {
  const { release, namespace } = name;
  return `Apart from these problems, the Deployments of gateway and operator are deleted, sandboxes ended, tokens of tasks revoked and finalizers
removed. No task, integration, profile or CRD was deleted, and nothing else of the release. Once the cause is gone, try again:
  helm uninstall ${release} --namespace ${namespace}
To keep Bellhop, remove what this step leaves, and go back to the release's last revision:
${removeHook(name)}
  helm rollback ${release} "$(helm history ${release} --namespace ${namespace} --max 1 | awk 'END { print $1 }')" --namespace ${namespace}
Or continue without this step, and remove the finalizers with kubectl:
${removeHook(name)}
  helm uninstall ${release} --namespace ${namespace} --no-hooks
${removeFinalizers("bellhop", "")}
${removeFinalizers("pods", " -l app.kubernetes.io/component=sandbox,app.kubernetes.io/managed-by=bellhop")}
`;
}

/**
 * Commands that remove the hook's objects: after a failure helm leaves the Job, after Ctrl-C every object. The Job is deleted first,
 * because a Job that still runs would continue to delete things.
 */
function removeHook({ namespace, brokerNamespace }: ReleaseName): string {
  const remove = (kinds: string, where: string): string =>
    `  kubectl delete ${kinds} bellhop-uninstall${where} --ignore-not-found`;
  return [
    remove("job,serviceaccount,role,rolebinding", ` --namespace ${namespace}`),
    remove("role,rolebinding", ` --namespace ${brokerNamespace}`),
    remove("clusterrole,clusterrolebinding", ""),
  ].join("\n");
}

/** `bellhop` is the category of all our kinds. */
function removeFinalizers(kinds: string, selector: string): string {
  const columns = ["kind", "metadata.namespace", "metadata.name", "metadata.finalizers"].map((path) => `:.${path}`);
  return `  kubectl get ${kinds} -A${selector} --no-headers -o custom-columns=${columns.join(",")} |
    grep bellhop.dev/ | while read -r kind namespace name _; do
      kubectl patch "$kind" "$name" --namespace "$namespace" --type=merge -p '{"metadata":{"finalizers":null}}'
    done`;
}
