import type { ConfigMap } from "../../kube/resources.ts";
import type { Draft } from "../../kube/types.ts";
import { contextFiles } from "../protocol/layout.ts";
import type { SandboxRequest } from "../provider.ts";
import { contextName, sandboxLabels } from "./names.ts";
import { ownedBy } from "./pod.ts";
import type { InstallationFacts } from "./settings.ts";

/** The ConfigMap with the courier's instructions: immutable, owned by the task, at most 512 KiB. */
export function buildContext(
  request: SandboxRequest,
  { caCertificate }: Pick<InstallationFacts, "caCertificate">,
): Draft<ConfigMap> {
  const { task, attempt } = request;
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: contextName(task.metadata.name, attempt),
      namespace: task.metadata.namespace,
      labels: sandboxLabels(task.metadata.name, attempt),
      ownerReferences: [ownedBy(task)],
    },
    immutable: true,
    data: {
      [contextFiles.sandbox]: JSON.stringify(request.spec, undefined, 2),
      [contextFiles.prompt]: request.prompt,
      [contextFiles.context]: request.context,
      [contextFiles.ca]: caCertificate,
    },
  };
}
