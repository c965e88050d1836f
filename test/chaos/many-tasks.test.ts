import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { names } from "../../src/api/annotations.ts";
import { AgentTaskKind, type AgentTask } from "../../src/api/kinds.ts";
import { connect } from "../../src/kube/config.ts";
import { leases } from "../../src/kube/resources.ts";
import type { Draft, KubeConnection } from "../../src/kube/types.ts";
import { startControlPlane, type ControlPlane } from "../cluster/control-plane.ts";
import { installCrds } from "../cluster/crds.ts";
import type { Daemon } from "../cluster/daemon.ts";
import { aNamespace, eventually } from "../cluster/namespace.ts";
import { logOf, partsOf, type Installation, type StartPart } from "../integration/journey/world/parts.ts";

const finished = 5_000;
const pending = 2_000;
/**
 * Maximum number of tasks of the backlog that may be reconciled before the new task arrives by watch. Without priorities it would be nearly
 * all of them.
 */
const meanwhile = pending / 4;

/** The test needs eleven thousand writes and a reconcile of each task, which takes minutes on a slow machine. */
const slowMs = 900_000;

/** Operators that start in a cluster with thousands of tasks, as after an upgrade or a crash. */
describe("an operator that starts with thousands of tasks", () => {
  let controlPlane: ControlPlane;
  let client: KubeConnection;
  let installation: Installation;
  let startPart: StartPart;
  let namespace: string;
  const operators: Daemon[] = [];

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    ({ client } = await connect({ kubeconfig: controlPlane.kubeconfigPath }));
    await installCrds(client);
    namespace = await aNamespace(client, "team");
    const folder = await mkdtemp(join(tmpdir(), "bellhop-many-"));
    const caFile = join(folder, "no-provider.pem");
    await writeFile(caFile, rootCertificates[0] ?? "");
    const [own, brokerNamespace] = await Promise.all(
      ["bellhop", "bellhop-broker"].map((name) => aNamespace(client, name)),
    );
    installation = {
      folder,
      caFile,
      kubeconfigPath: controlPlane.kubeconfigPath,
      namespace: own ?? "",
      brokerNamespace: brokerNamespace ?? "",
    };
    ({ startPart } = await partsOf(installation));
    await createAll([...Array(finished).keys()].map((n) => aTask(`finished-${n}`)));
    await createAll([...Array(pending).keys()].map((n) => aTask(`pending-${n}`)));
  }, slowMs);
  afterAll(async () => {
    await Promise.all(operators.map((operator) => operator.stop()));
    await client?.close();
    await controlPlane?.stop();
    await rm(installation?.folder ?? "", { recursive: true, force: true });
  });

  it(
    "keeps one leader, reconciles each finished task once, and handles a new event before its backlog",
    async () => {
      const [first, standby] = [await startPart("operator"), await startPart("operator-2")];
      operators.push(first, standby);
      // The backlog is worked on in the order of names, finished tasks first.
      const pendingFirst = { namespace, name: "pending-0" };
      const begun = async (): Promise<boolean> =>
        (await client.get(AgentTaskKind, pendingFirst)).status?.conditions !== undefined;
      const waiting = { describe: "the backlog of pending tasks to begin", timeoutMs: slowMs };
      await Promise.race([eventually(begun, waiting), endOf(first, standby)]);
      const event = await client.create(AgentTaskKind, aTask("event"));

      const whole = async (): Promise<AgentTask[] | false> => {
        const tasks = await settled();
        return tasks.length === pending + 1 && tasks;
      };
      const reconciled = { describe: "every task to be reconciled", timeoutMs: slowMs, everyMs: 500 };
      const all = await Promise.race([eventually(whole, reconciled), endOf(first, standby)]);
      const position = versionOf(all.find(({ metadata }) => metadata.name === "event"));
      const between = all.filter((task) => versionOf(task) > versionOf(event) && versionOf(task) < position);
      const after = all.filter((task) => versionOf(task) > versionOf(event));
      expect(after.length, "the backlog that the event could wait behind").toBeGreaterThan(meanwhile);
      expect(between.length).toBeLessThan(meanwhile);

      expect([first.ending, standby.ending]).toEqual([undefined, undefined]);
      const lease = await client.get(leases, { namespace: installation.namespace, name: "bellhop-operator" });
      expect(lease.spec).toMatchObject({ leaseTransitions: 0 });
      const leader = lease.spec?.holderIdentity?.startsWith("operator-2_") ? "operator-2" : "operator";
      await eventually(() => looksAtFinished(leader).size === finished, {
        describe: "every finished task to be reconciled",
        timeoutMs: slowMs,
      });
      expect(new Set(looksAtFinished(leader).values())).toEqual(new Set([1]));
    },
    slowMs,
  );

  /** The unfinished tasks that were reconciled, read from the API server. */
  async function settled(): Promise<AgentTask[]> {
    const { items } = await client.list(AgentTaskKind, { namespace });
    return items.filter(({ metadata, status }) => !isFinished(metadata.name) && status?.conditions !== undefined);
  }

  /** How often the leader has reconciled each finished task, according to its log. */
  function looksAtFinished(leader: "operator" | "operator-2"): Map<string, number> {
    const looks = new Map<string, number>();
    for (const line of readFileSync(logOf(installation, leader), "utf8").split("\n")) {
      const name = line.includes('"message":"reconciled"') ? /"name":"(finished-\d+)"/.exec(line)?.[1] : undefined;
      if (name !== undefined) looks.set(name, (looks.get(name) ?? 0) + 1);
    }
    return looks;
  }

  async function createAll(drafts: Draft<AgentTask>[]): Promise<void> {
    const queue = [...drafts];
    const worker = async (): Promise<void> => {
      for (let draft = queue.pop(); draft; draft = queue.pop()) {
        const task = await client.create(AgentTaskKind, draft);
        if (isFinished(draft.metadata.name)) await client.replaceStatus(AgentTaskKind, { ...task, status: ended });
      }
    };
    await Promise.all(Array.from({ length: 32 }, worker));
  }

  /** Tasks of a provider whose integration does not exist: unfinished ones wait for it, with a condition. */
  function aTask(name: string): Draft<AgentTask> {
    return {
      metadata: { name, namespace, finalizers: [names.finalizer] },
      spec: {
        integrationRef: { kind: "GitHubIntegration", name: "gone" },
        source: {
          provider: "github",
          event: "issue_comment",
          action: "created",
          cause: `issue_comment/${name}`,
          subject: { type: "Issue", key: `acme/shop#${name}`, number: 42 },
          text: "please fix this. ".repeat(100),
        },
        actor: { id: "501", login: "ana" },
        conversation: `acme/shop#${name}`,
        repository: { id: "9001", host: "github.com", owner: "acme", name: "shop" },
        prompt: "please fix this. ".repeat(100),
        profileRef: { name: "default" },
      },
    };
  }
});

const ended: NonNullable<AgentTask["status"]> = {
  completionTime: new Date().toISOString(),
  conditions: ["Authorized", "Admitted", "ContextReady", "Succeeded", "Reported"].map((type) => ({
    type,
    status: "True",
    reason: "Test",
    message: "Done.",
    lastTransitionTime: new Date().toISOString(),
  })),
};

function isFinished(name: string): boolean {
  return name.startsWith("finished-");
}

/** Rejects with the end of its log as soon as one of the operators ends, because the test could then only time out. */
function endOf(...operators: Daemon[]): Promise<never> {
  return Promise.race(
    operators.map(async (operator) => {
      throw new Error(`${await operator.ended}\n${operator.tail(5)}`);
    }),
  );
}

/** The object's revision. The API server numbers all writes of the cluster in order. */
function versionOf(task: Pick<AgentTask, "metadata"> | undefined): number {
  return Number(task?.metadata.resourceVersion);
}
