import { getDefaultAutoSelectFamily, setDefaultAutoSelectFamily } from "node:net";
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from "undici";
import { AgentTaskKind } from "../../src/api/kinds.ts";
import { buildTask } from "../../src/intake/build-task.ts";
import { aComment, anEvent, anIntegration } from "../../src/intake/testing.ts";

import { connect } from "../../src/kube/config.ts";
import type { KubeClient } from "../../src/kube/types.ts";
import { startControlPlane } from "../cluster/control-plane.ts";
import { installCrds } from "../cluster/crds.ts";
import { prepareDaemons } from "../cluster/daemons.ts";
import { aPublishedIntegration, aGateway, deliver } from "../integration/gateway-world.ts";
import { msOf, rounds, spread, type Side } from "./statistics.ts";

const count = Number(process.env["ROUNDS"] ?? 7);
const requests = Number(process.env["REQUESTS"] ?? 200);
const concurrency = Number(process.env["CONCURRENCY"] ?? 8);
const text = `@bellhop ${"please fix the failing build. ".repeat(20)}`;

/**
 * Compares the rate at which a gateway stores deliveries with the rate at which the same client stores plain custom resources on the same
 * API server: the ratio is the cost of the gateway. ROUNDS, REQUESTS and CONCURRENCY are taken from the environment.
 */
export async function run(log: (line: string) => void): Promise<void> {
  const before = { family: getDefaultAutoSelectFamily(), dispatcher: getGlobalDispatcher() };
  const dispatcher = new Agent({ connections: concurrency });
  setDefaultAutoSelectFamily(false);
  setGlobalDispatcher(dispatcher);
  const controlPlane = await startControlPlane({
    fsync: true,
    daemons: await prepareDaemons("control plane", { say: log }),
  });
  const { client } = await connect({ kubeconfig: controlPlane.kubeconfigPath });
  try {
    await installCrds(client);
    await compare(client, controlPlane.kubeconfigPath, log);
  } finally {
    await client.close();
    await controlPlane.stop();
    await dispatcher.close();
    setDefaultAutoSelectFamily(before.family);
    setGlobalDispatcher(before.dispatcher);
  }
}

async function compare(client: KubeClient, kubeconfig: string, log: (line: string) => void): Promise<void> {
  const published = await aPublishedIntegration(client);
  const gateway = await aGateway(published.env, kubeconfig);
  const integration = { ...anIntegration(), metadata: { name: "bare", namespace: published.namespace, uid: "bare" } };
  const trigger = { name: "mention", mention: {} };
  const decision = { result: "task" as const, trigger, signal: { kind: "mention" as const, words: "fix it" } };
  const throughGateway = async (id: number): Promise<void> => {
    const { status } = await deliver(gateway, published.route, aComment({ id, body: text }));
    if (status !== 202) throw new Error(`the gateway answered ${status}`);
  };
  const bare = async (id: number): Promise<void> => {
    const event = anEvent({ cause: `bare/${id}`, text });
    await client.create(
      AgentTaskKind,
      buildTask({ integration, kind: "GitHubIntegration", event, decision, receivedAt: new Date() }),
    );
  };
  try {
    const results = await rounds(count, { bare: rate(bare), gateway: rate(throughGateway) }, log);
    const figures = (of: (one: (typeof results)[number]) => number, digits: number): string =>
      spread(results.map(of), digits);
    log(
      `${count} rounds of ${requests} requests, ${concurrency} at once, fsync on; client, gateway and API server share this machine`,
    );
    log(`gateway  ${figures((one) => one.gateway, 0)} deliveries/s`);
    log(`bare     ${figures((one) => one.bare, 0)} custom resources/s`);
    log(`ratio    ${figures((one) => one.gateway / one.bare, 2)}`);
  } finally {
    await gateway.stop();
  }
}

/** Sends `requests` requests, `concurrency` at once; returns the rate per second. */
function rate(send: (id: number) => Promise<void>): Side {
  return async (round) => {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < requests) await send(round * requests + 1 + next++);
    };
    return requests / ((await msOf(() => Promise.all(Array.from({ length: concurrency }, worker)))) / 1_000);
  };
}
