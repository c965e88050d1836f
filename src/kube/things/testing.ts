import type { Condition, KubeClient, KubeObject, ResourceType } from "../types.ts";
import { eventually } from "../../../test/cluster/namespace.ts";

/** A custom resource of the runtime's own tests, with a status subresource and a schema that accepts everything. */
export interface Thing extends KubeObject {
  spec?: { size?: number; colour?: string };
  status?: { observed?: number; conditions?: Condition[] };
}

export const things: ResourceType<Thing> = {
  group: "runtime.bellhop.dev",
  version: "v1",
  kind: "Thing",
  plural: "things",
  namespaced: true,
};

/** Installs the CRD and waits until the API server serves things. */
export async function installThings(client: KubeClient): Promise<void> {
  await client.apply(crds, thingDefinition(), { fieldManager: "test" });
  await eventually(() => client.list(things), { describe: "the API server to serve things" });
}

const crds: ResourceType<KubeObject & { spec: object }> = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};

function thingDefinition() {
  const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  return {
    metadata: { name: "things.runtime.bellhop.dev" },
    spec: {
      group: things.group,
      scope: "Namespaced",
      names: { kind: "Thing", plural: "things", singular: "thing" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: "object", properties: { spec: open, status: open } } },
        },
      ],
    },
  };
}
