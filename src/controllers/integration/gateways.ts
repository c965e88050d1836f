import { endpointSlices, type EndpointSlice } from "../../kube/resources.ts";
import type { KubeClient } from "../../kube/types.ts";

/** Asks the gateways which keys they have loaded. */
export interface Gateways {
  /** Every ready replica's address, with the generation it serves; undefined where it does not answer. */
  generations(signal: AbortSignal): Promise<{ address: string; generation: number | undefined }[]>;
}

/** Where the gateways are. */
export interface GatewaysDeps {
  client: KubeClient;
  namespace: string;
  /** Name of the gateway's Service. */
  serviceName: string;
  /** Port of `/readyz` on each replica. */
  probePort: number;
}

const timeoutMs = 3_000;

/** Asks every address in the Service's EndpointSlices, on its probe port. */
export function gatewaysOfService(deps: GatewaysDeps): Gateways {
  return {
    async generations(signal) {
      const selector = `kubernetes.io/service-name=${deps.serviceName}`;
      const { items } = await deps.client.list(endpointSlices, {
        namespace: deps.namespace,
        labelSelector: selector,
        signal,
      });
      const addresses = [...new Set(items.flatMap((slice) => readyAddresses(slice)))];
      return Promise.all(
        addresses.map(async (address) => ({ address, generation: await ask(address, deps.probePort, signal) })),
      );
    },
  };
}

/** Gateways at fixed addresses, `host:port` of their probes: development and tests. */
export function gatewaysAt(addresses: readonly string[]): Gateways {
  return {
    generations: (signal) =>
      Promise.all(addresses.map(async (address) => ({ address, generation: await askAt(address, signal) }))),
  };
}

/** Where gateways have answered just now, by the port of their probes. */
export async function answeringGateways(
  gateways: Gateways,
  port: number,
  signal: AbortSignal,
): Promise<{ host: string; port: number }[]> {
  const answers = await gateways.generations(signal);
  return answers.flatMap(({ address, generation }) => (generation === undefined ? [] : [{ host: address, port }]));
}

/** The replicas that do not have a generation yet, as a sentence; undefined when all have it. */
export function behind(
  answers: { address: string; generation: number | undefined }[],
  generation: number,
): string | undefined {
  if (answers.length === 0) return "no gateway replica is ready";
  const late = answers.filter((answer) => answer.generation === undefined || answer.generation < generation);
  if (late.length === 0) return undefined;
  const told = late.map(
    ({ address, generation: has }) => `${address} (${has === undefined ? "does not answer" : `has generation ${has}`})`,
  );
  return `gateway replicas without key generation ${generation}: ${told.join(", ")}`;
}

function readyAddresses({ endpoints }: EndpointSlice): string[] {
  // `null` where there are none.
  return ((endpoints as EndpointSlice["endpoints"] | null) ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses }) => addresses);
}

function ask(address: string, port: number, signal: AbortSignal): Promise<number | undefined> {
  return askAt(`${address.includes(":") ? `[${address}]` : address}:${port}`, signal);
}

async function askAt(authority: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const response = await fetch(`http://${authority}/readyz`, { signal: patience });
    const body = (await response.json()) as { generation?: unknown };
    return typeof body.generation === "number" ? body.generation : undefined;
  } catch {
    // Silent, or not ours: the caller names the address and holds the rotation.
    return undefined;
  }
}
