import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { aNamespace } from "../../test/cluster/namespace.ts";
import { connect } from "./config.ts";
import { leases } from "./resources.ts";
import type { KubeConnection } from "./types.ts";

/** A process of its own, as an operator is: it says when it leads, and gives the lease back on SIGTERM. */
const program = `
  const from = (file) => import(new URL(file, process.env.BASE).href);
  const [{ connect }, { createLeader }, { systemClock }, { silentLogger }] = await Promise.all(
    ["kube/config.ts", "kube/leader.ts", "shared/clock.ts", "shared/log.ts"].map(from));
  const { client } = await connect();
  const leader = createLeader({
    client, namespace: process.env.NAMESPACE, name: "operator", identity: process.env.IDENTITY,
    clock: systemClock, log: silentLogger, onLost: (reason) => { console.log("lost: " + reason); process.exit(1); },
  });
  process.stdin.resume();
  process.on("SIGTERM", () => leader.release().then(() => process.exit(0)));
  console.log("waits");
  await leader.acquire(new AbortController().signal);
  console.log("leads");
`;

interface Candidate {
  child: ChildProcess;
  /** Resolves with the time (ms) at which the process said so. */
  said(word: string): Promise<number>;
  lines: string[];
}

let client: KubeConnection;
let namespace: string;
const candidates: Candidate[] = [];

beforeAll(async () => {
  ({ client } = await connect({ kubeconfig: inject("kubeconfigPath") }));
});
beforeEach(async () => {
  namespace = await aNamespace(client);
});
afterEach(() => {
  for (const { child } of candidates.splice(0)) child.kill("SIGKILL");
});
afterAll(() => client.close());

function start(identity: string): Candidate {
  const env = { ...process.env, KUBECONFIG: inject("kubeconfigPath"), NAMESPACE: namespace, IDENTITY: identity };
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    env: { ...env, BASE: new URL("../", import.meta.url).href },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const waiting: { word: string; resolve: (ms: number) => void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const { word, resolve } of waiting) if (line === word) resolve(performance.now());
  });
  const candidate: Candidate = {
    child,
    lines,
    said: (word) =>
      lines.includes(word)
        ? Promise.resolve(performance.now())
        : new Promise((resolve) => waiting.push({ word, resolve })),
  };
  candidates.push(candidate);
  return candidate;
}

async function aLeaderAndAStandby(): Promise<[Candidate, Candidate]> {
  const leader = start("one");
  await leader.said("leads");
  const standby = start("two");
  await standby.said("waits");
  await renewal();
  expect(standby.lines).toEqual(["waits"]);
  return [leader, standby];
}

/** Two renewals: by then the standby has looked at the lease. */
async function renewal(): Promise<void> {
  const read = async () => (await client.get(leases, { namespace, name: "operator" })).spec?.renewTime;
  for (let times = 0; times < 2; times++) {
    const before = await read();
    await expect.poll(read, { timeout: 10_000, interval: 50 }).not.toBe(before);
  }
}

describe("two candidates for one lease", () => {
  it("hand over within 3 s when the leader stops cleanly", async () => {
    const [leader, standby] = await aLeaderAndAStandby();
    const stoppedAt = performance.now();
    leader.child.kill("SIGTERM");
    const tookMs = (await standby.said("leads")) - stoppedAt;
    expect(tookMs).toBeLessThanOrEqual(3_000);
    expect(leader.lines).toEqual(["waits", "leads"]);
    const { spec } = await client.get(leases, { namespace, name: "operator" });
    expect(spec).toMatchObject({ holderIdentity: "two", leaseTransitions: 1, leaseDurationSeconds: 15 });
  });

  it("take over within 20 s when the leader is killed, and not before its lease has run out", async () => {
    const [leader, standby] = await aLeaderAndAStandby();
    const killedAt = performance.now();
    leader.child.kill("SIGKILL");
    const tookMs = (await standby.said("leads")) - killedAt;
    expect(tookMs).toBeLessThanOrEqual(20_000);
    expect(tookMs).toBeGreaterThan(10_000);
  });
});
