/**
 * How many deliveries a gateway stores, against how many bare custom resources the same API server takes from the same
 * client: the ratio says what the gateway costs. Rounds are interleaved, so that a slow minute of the machine hits both.
 * Run with `scripts/node test/bench/gateway.ts`; ROUNDS, REQUESTS and CONCURRENCY are taken from the environment.
 */
import { setDefaultAutoSelectFamily } from "node:net";
import { Agent, setGlobalDispatcher } from "undici";
import { AgentTaskKind } from "../../src/api/kinds.ts";
import { buildTask } from "../../src/intake/build-task.ts";
import { aComment, anEvent, anIntegration } from "../../src/intake/testing.ts";
import { connect } from "../../src/kube/config.ts";
import { startControlPlane } from "../cluster/control-plane.ts";
import { installCrds } from "../cluster/crds.ts";
import { aDesk, aGateway, deliver } from "../integration/gateway-world.ts";

const rounds = Number(process.env["ROUNDS"] ?? 7);
const requests = Number(process.env["REQUESTS"] ?? 200);
const concurrency = Number(process.env["CONCURRENCY"] ?? 8);
const text = `@bellhop ${"please fix the failing build. ".repeat(20)}`;

/** Sends `requests` requests, `concurrency` at once; gives how many a second. */
async function rate(send: (id: number) => Promise<void>, from: number): Promise<number> {
  const startedMs = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < requests) await send(from + next++);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return requests / ((performance.now() - startedMs) / 1_000);
}

function spread(values: number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN).toFixed(digits);
  return `median ${at(0.5)} (${at(0)} to ${at(1)})`;
}

setDefaultAutoSelectFamily(false);
setGlobalDispatcher(new Agent({ connections: concurrency }));
const controlPlane = await startControlPlane({ fsync: true });
const { client } = await connect({ kubeconfig: controlPlane.kubeconfigPath });
try {
  await installCrds(client);
  const desk = await aDesk(client);
  const gateway = await aGateway(desk.env, controlPlane.kubeconfigPath);
  const integration = { ...anIntegration(), metadata: { name: "bare", namespace: desk.namespace, uid: "bare" } };
  const trigger = { name: "mention", mention: {} };
  const decision = { result: "task" as const, trigger, ring: { kind: "mention" as const, words: "fix it" } };
  const throughGateway = async (id: number): Promise<void> => {
    const { status } = await deliver(gateway, desk.route, aComment({ id, body: text }));
    if (status !== 202) throw new Error(`the gateway answered ${status}`);
  };
  const bare = async (id: number): Promise<void> => {
    const event = anEvent({ cause: `bare/${id}`, text });
    await client.create(
      AgentTaskKind,
      buildTask({ integration, kind: "GitHubIntegration", event, decision, receivedAt: new Date() }),
    );
  };
  await rate(bare, 1);
  await rate(throughGateway, 1);
  const results: { gateway: number; bare: number }[] = [];
  for (let round = 1; round <= rounds; round++) {
    const from = round * requests + 1;
    const order = round % 2 === 0;
    const first = await rate(order ? throughGateway : bare, from);
    const second = await rate(order ? bare : throughGateway, from);
    results.push(order ? { gateway: first, bare: second } : { gateway: second, bare: first });
  }
  const lines = [
    `${rounds} rounds of ${requests} requests, ${concurrency} at once, fsync on; client, gateway and API server share this machine`,
    `gateway  ${spread(
      results.map((one) => one.gateway),
      0,
    )} deliveries/s`,
    `bare     ${spread(
      results.map((one) => one.bare),
      0,
    )} custom resources/s`,
    `ratio    ${spread(
      results.map((one) => one.gateway / one.bare),
      2,
    )}`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  await gateway.stop();
} finally {
  await client.close();
  await controlPlane.stop();
}
