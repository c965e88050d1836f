import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import type { KubeClient, KubeObject, ResourceType } from "../../src/kube/types.ts";
import { eventually } from "./eventually.ts";

/** The fields of a CustomResourceDefinition that tests read. */
export interface CustomResourceDefinition extends KubeObject {
  spec?: object;
  status?: { conditions?: { type: string; status: string; message?: string }[] };
}

/** CustomResourceDefinitions. */
export const crds: ResourceType<CustomResourceDefinition> = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};
const folder = join(import.meta.dirname, "..", "..", "config", "crd");

/** Applies every CRD of `config/crd` and resolves when the server serves them. May be called several times, also concurrently. */
export async function installCrds(client: KubeClient): Promise<void> {
  const definitions = await generatedCrds();
  await Promise.all(definitions.map((definition) => installCrd(client, definition)));
}

/** Applies one CRD and resolves when the server serves it. */
export async function installCrd(client: KubeClient, definition: CustomResourceDefinition): Promise<void> {
  await client.apply(crds, definition, { fieldManager: "bellhop-tests" });
  await crdEstablished(client, definition);
}

/** Resolves when the server serves every kind of `config/crd`. */
export async function crdsEstablished(client: KubeClient): Promise<void> {
  for (const definition of await generatedCrds()) await crdEstablished(client, definition);
}

async function crdEstablished(client: KubeClient, { metadata: { name } }: CustomResourceDefinition): Promise<void> {
  await eventually(async () => isEstablished(await client.get(crds, { name })), {
    describe: `CRD ${name} to be established`,
    timeoutMs: 30_000,
  });
}

/** The objects of `config/crd`. */
export async function generatedCrds(): Promise<CustomResourceDefinition[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".yaml"));
  if (files.length === 0) throw new Error("config/crd has no CRDs: run 'npm run generate'");
  return Promise.all(
    files.map(async (name) => parse(await readFile(join(folder, name), "utf8")) as CustomResourceDefinition),
  );
}

function isEstablished({ status }: CustomResourceDefinition): boolean {
  return status?.conditions?.some(({ type, status }) => type === "Established" && status === "True") ?? false;
}
