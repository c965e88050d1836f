import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import type { KubeClient, KubeObject, ResourceType } from "../../src/kube/types.ts";
import { eventually } from "./eventually.ts";

interface CustomResourceDefinition extends KubeObject {
  status?: { conditions?: { type: string; status: string; message?: string }[] };
}

const crds: ResourceType<CustomResourceDefinition> = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};
const folder = join(import.meta.dirname, "..", "..", "config", "crd");

/** Applies every CRD of `config/crd` and resolves when the server serves them. May run any number of times, at once too. */
export async function installCrds(client: KubeClient): Promise<void> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".yaml"));
  if (files.length === 0) throw new Error("config/crd has no CRDs: run 'npm run generate'");
  await Promise.all(files.map((name) => install(client, join(folder, name))));
}

async function install(client: KubeClient, path: string): Promise<void> {
  const definition = parse(await readFile(path, "utf8")) as CustomResourceDefinition;
  await client.apply(crds, definition, { fieldManager: "bellhop-tests" });
  const { name } = definition.metadata;
  await eventually(async () => isEstablished(await client.get(crds, { name })), {
    describe: `CRD ${name} to be established`,
    timeoutMs: 30_000,
  });
}

function isEstablished({ status }: CustomResourceDefinition): boolean {
  return status?.conditions?.some(({ type, status }) => type === "Established" && status === "True") ?? false;
}
