import { access, chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Pod } from "../../../src/kube/resources.ts";
import type { KubeClient } from "../../../src/kube/types.ts";
import { fieldOf } from "./fields.ts";
import { configMapEntries, filesOf, secretEntries } from "./sources.ts";
import type { TokenRequest } from "./token.ts";
import type { Container, Volume } from "./types.ts";

/** Folders of volumes, and the client that reads their content. */
export interface VolumeDeps {
  client: KubeClient;
  /** Folder of the pod's volumes. */
  folder: string;
  /** Folder of persistent volume claims, which is kept when pods are deleted. */
  claims: string;
}

/** Creates and fills the volumes of a pod. Returns the tokens that must be minted and renewed. Throws if an object is missing. */
export async function prepareVolumes(deps: VolumeDeps, pod: Pod): Promise<TokenRequest[]> {
  const tokens: TokenRequest[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    const folder = volumeFolder(deps, pod, volume.name);
    await mkdir(folder, { recursive: true });
    const filled = await filesOfVolume(deps.client, pod, volume);
    for (const [path, content] of Object.entries(filled.files)) await write(join(folder, path), content, filled.mode);
    tokens.push(...filled.tokens.map((token) => ({ ...token, file: join(folder, token.file) })));
  }
  for (const token of tokens) await mkdir(dirname(token.file), { recursive: true });
  await makeSubPaths(deps, pod);
  return tokens;
}

/** The local folder of a volume. */
export function volumeFolder({ folder, claims }: VolumeDeps, pod: Pod, name: string): string {
  const claim = pod.spec?.volumes?.find((volume) => volume.name === name)?.persistentVolumeClaim?.claimName;
  return claim === undefined ? join(folder, name) : join(claims, pod.metadata.namespace ?? "", claim);
}

interface Filled {
  files: Record<string, Buffer>;
  tokens: TokenRequest[];
  mode: number;
}

const filled = (files: Record<string, Buffer>, mode = 0o644): Filled => ({ files, tokens: [], mode });

async function filesOfVolume(client: KubeClient, pod: Pod, volume: Volume): Promise<Filled> {
  const namespace = pod.metadata.namespace ?? "";
  const { configMap, secret, downwardAPI, projected } = volume;
  if (volume.emptyDir || volume.persistentVolumeClaim) return filled({});
  if (configMap) return fromConfigMap(client, namespace, configMap);
  if (secret) return fromSecret(client, namespace, { ...secret, name: secret.secretName });
  if (downwardAPI) return filled(downward(pod, downwardAPI.items), downwardAPI.defaultMode);
  if (projected) return project(client, pod, projected);
  throw new Error(`volume ${volume.name} is of a kind that the process node does not know`);
}

interface NamedSource {
  name?: string | undefined;
  optional?: boolean | undefined;
  items?: { key: string; path: string }[] | undefined;
  defaultMode?: number | undefined;
}

async function fromConfigMap(client: KubeClient, namespace: string, source: NamedSource): Promise<Filled> {
  const ref = { namespace, name: source.name ?? "", optional: source.optional };
  return filled(filesOf(await configMapEntries(client, ref), source.items, ref), source.defaultMode);
}

async function fromSecret(client: KubeClient, namespace: string, source: NamedSource): Promise<Filled> {
  const ref = { namespace, name: source.name ?? "", optional: source.optional };
  return filled(filesOf(await secretEntries(client, ref), source.items, ref), source.defaultMode);
}

type Downward = { path: string; fieldRef?: { fieldPath: string } }[];

function downward(pod: Pod, items: Downward = []): Record<string, Buffer> {
  return Object.fromEntries(
    items.map(({ path, fieldRef }) => [path, Buffer.from(fieldOf(pod, fieldRef?.fieldPath ?? ""))]),
  );
}

async function project(
  client: KubeClient,
  pod: Pod,
  { sources = [], defaultMode }: NonNullable<Volume["projected"]>,
): Promise<Filled> {
  const namespace = pod.metadata.namespace ?? "";
  const all = filled({}, defaultMode);
  for (const { configMap, secret, downwardAPI, serviceAccountToken } of sources) {
    if (configMap) Object.assign(all.files, (await fromConfigMap(client, namespace, configMap)).files);
    if (secret) Object.assign(all.files, (await fromSecret(client, namespace, secret)).files);
    if (downwardAPI) Object.assign(all.files, downward(pod, downwardAPI.items));
    if (serviceAccountToken) {
      const { path, audience, expirationSeconds = 3600 } = serviceAccountToken;
      all.tokens.push({ file: path, audience, expirationSeconds });
    }
  }
  return all;
}

/** Containers may create files in this folder, so it must exist before the first container starts. */
async function makeSubPaths(deps: VolumeDeps, pod: Pod): Promise<void> {
  const containers: Container[] = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  for (const { name, subPath } of containers.flatMap((container) => container.volumeMounts ?? [])) {
    if (subPath === undefined || (await exists(join(volumeFolder(deps, pod, name), subPath)))) continue;
    await mkdir(join(volumeFolder(deps, pod, name), subPath), { recursive: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function write(path: string, content: Buffer, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  await chmod(path, mode);
}
