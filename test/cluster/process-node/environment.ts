import { dirname } from "node:path";
import type { Pod } from "../../../src/kube/resources.ts";
import type { KubeClient } from "../../../src/kube/types.ts";
import { expand } from "./expand.ts";
import { fieldOf } from "./fields.ts";
import { configMapEntries, entryOf, secretEntries } from "./sources.ts";
import type { Container } from "./types.ts";

type EnvVar = NonNullable<Container["env"]>[number];
type EnvFrom = NonNullable<Container["envFrom"]>[number];

/**
 * The environment variable with the mark. All processes of a container inherit it, so they can be found even if they left the process
 * group.
 */
export const markVariable = "BELLHOP_PROCESS_NODE";

/** The variables that an image would set. Nothing of this process's own environment is passed on. */
export function imageEnvironment(pod: Pod, scratch: string): Record<string, string> {
  const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return {
    PATH: `${dirname(process.execPath)}:${path}`,
    HOME: scratch,
    TMPDIR: scratch,
    HOSTNAME: pod.spec?.hostname ?? pod.metadata.name,
  };
}

/** The variables from `env` and `envFrom`, expanded. Paths in them are still those of the container. */
export async function containerEnvironment(
  client: KubeClient,
  pod: Pod,
  container: Container,
): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const source of container.envFrom ?? []) Object.assign(variables, await envFrom(client, pod, source));
  for (const variable of container.env ?? []) {
    const value = await valueOf(client, pod, variable);
    if (value !== undefined) variables[variable.name] = expand(value, variables);
  }
  return variables;
}

async function envFrom(client: KubeClient, pod: Pod, source: EnvFrom): Promise<Record<string, string>> {
  const namespace = pod.metadata.namespace ?? "";
  const ref = source.configMapRef ?? source.secretRef;
  const read = source.configMapRef ? configMapEntries : secretEntries;
  const entries = await read(client, { namespace, name: ref?.name ?? "", optional: ref?.optional });
  const prefix = source.prefix ?? "";
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [prefix + key, value.toString("utf8")]));
}

async function valueOf(client: KubeClient, pod: Pod, { name, value, valueFrom }: EnvVar): Promise<string | undefined> {
  if (!valueFrom) return value ?? "";
  const namespace = pod.metadata.namespace ?? "";
  if (valueFrom.fieldRef) return fieldOf(pod, valueFrom.fieldRef.fieldPath);
  const { configMapKeyRef, secretKeyRef } = valueFrom;
  const keyRef = configMapKeyRef ?? secretKeyRef;
  if (!keyRef) throw new Error(`env ${name} has a source that the process node does not know`);
  const ref = { namespace, name: keyRef.name ?? "", optional: keyRef.optional };
  const entries = await (configMapKeyRef ? configMapEntries : secretEntries)(client, ref);
  return entryOf(entries, keyRef.key, ref);
}
