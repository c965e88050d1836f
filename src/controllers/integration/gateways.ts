import { endpointSlices, type EndpointSlice } from "../../kube/resources.ts";
import type { KubeClient } from "../../kube/types.ts";

/** Reads which generation of the webhook keys each gateway replica has loaded. */
export interface Gateways {
  /** Every ready replica's address, with the generation it serves; the generation is undefined if the replica does not answer. */
  generations(signal: AbortSignal): Promise<{ address: string; generation: number | undefined }[]>;
}

/** Dependencies of `gatewaysOfService`. */
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

/** Gateways at fixed addresses (`host:port` of their probes), for development and tests. */
export function gatewaysAt(addresses: readonly string[]): Gateways {
  return {
    generations: (signal) =>
      Promise.all(addresses.map(async (address) => ({ address, generation: await askAt(address, signal) }))),
  };
}

/** The hosts of the gateway replicas that answer now, each with the given port. */
export async function answeringGateways(
  gateways: Gateways,
  port: number,
  signal: AbortSignal,
): Promise<{ host: string; port: number }[]> {
  const answers = await gateways.generations(signal);
  return answers.flatMap(({ address, generation }) => (generation === undefined ? [] : [{ host: address, port }]));
}

/** A message that names the replicas which have not loaded a generation yet; undefined when all have loaded it. */
export function behind(
  answers: { address: string; generation: number | undefined }[],
  generation: number,
): string | undefined {
  if (answers.length === 0) return "no gateway replica is ready";
  const late = answers.filter((answer) => answer.generation === undefined || answer.generation < generation);
  if (late.length === 0) return undefined;
  const described = late.map(
    ({ address, generation: has }) => `${address} (${has === undefined ? "does not answer" : `has generation ${has}`})`,
  );
  return `gateway replicas without key generation ${generation}: ${described.join(", ")}`;
}

function readyAddresses({ endpoints }: EndpointSlice): string[] {
  // `null` if there are none.
  return ((endpoints as EndpointSlice["endpoints"] | null) ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses }) => addresses);
}

function ask(address: string, port: number, signal: AbortSignal): Promise<number | undefined> {
  return askAt(`${address.includes(":") ? `[${address}]` : address}:${port}`, signal);
}

async function askAt(authority: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const withTimeout = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const response = await fetch(`http://${authority}/readyz`, { signal: withTimeout });
    const body = (await response.json()) as { generation?: unknown };
    return typeof body.generation === "number" ? body.generation : undefined;
  } catch {
    // No answer, or not a gateway: the caller names the address and delays the rotation.
    return undefined;
  }
}
