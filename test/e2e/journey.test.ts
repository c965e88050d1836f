import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AgentTask } from "../../src/api/kinds.ts";
import { until } from "../cluster/node/wait.ts";
import type { NodePlace } from "../demo/node-place.ts";
import { release } from "../demo/release.ts";
import { canaries, secretNamespaces, surfaces } from "./canaries.ts";
import {
  type Asked,
  agentRuns,
  ask,
  botComments,
  processesWith,
  reported,
  say,
  startPlace,
  taskWhere,
} from "./journey-place.ts";
import { onNode } from "./on-node.ts";

/** A NetworkPolicy that somebody in a team's namespace could write. */
const everythingGoes = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "everything-goes" },
  spec: { podSelector: {}, policyTypes: ["Egress"], egress: [{}] },
};
const running = ({ status }: AgentTask): boolean => status?.phase === "Running";

describe("an installation from the chart, on a real node", () => {
  let place: NodePlace;
  let done: { issue: number; task: AgentTask };

  beforeAll(
    onNode(async () => {
      place = await startPlace({ name: "journey" });
      const { issue, task } = await ask(place, "Say hello in the README");
      done = { issue, task: await reported(place, task) };
    }),
  );
  afterAll(() => place?.close());

  /** Objects of a kind that a task owns, by name. */
  const ownedBy = async (task: AgentTask, kinds: string): Promise<string[]> => {
    const { items } = JSON.parse(await place.kubectl(["get", kinds, "-n", place.namespace, "-o", "json"])) as {
      items: { kind: string; metadata: { name: string; ownerReferences?: { uid: string }[] } }[];
    };
    return items
      .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === task.metadata.uid))
      .map(({ kind }) => kind);
  };

  const field = (path: string, ...object: string[]): Promise<string> =>
    place.kubectl(["get", ...object, "-o", `jsonpath={${path}}`]);

  const inTeam = (args: string[], input?: string): Promise<string> =>
    place.kubectl([...args, "-n", place.namespace], input);

  it("turns a signed mention into a branch, a draft pull request and one report", async () => {
    const { status } = done.task;
    expect(status).toMatchObject({ phase: "Succeeded", result: { branch: expect.stringMatching(/^bellhop\/1-/) } });
    const { branch = "", commit = "", changeNumber } = status?.result ?? {};
    expect((await place.git("rev-parse", branch)).trim()).toBe(commit);
    const pull = await place.rest<object>(`/repos/${place.repository}/pulls/${changeNumber}`);
    expect(pull).toMatchObject({ draft: true, state: "open", user: { login: place.bot } });
    const comments = await botComments(place, done.issue);
    expect(comments).toHaveLength(1);
    expect(comments[0]).toMatch(/^\*\*Done in .*Added bellhop-note\.md/s);
    expect(await place.remembered("/violations")).toEqual([]);
  });

  it("shows our descriptions and columns in kubectl", async () => {
    const explained = await place.kubectl(["explain", "agenttask.spec.conversation"]);
    expect(explained.replace(/\s+/g, " ")).toContain("The issue, change or thread that the task belongs to");
    const table = await place.kubectl(["get", "agenttasks", "-n", place.namespace, "-o", "wide"]);
    const [header = "", row = ""] = table.split("\n");
    expect(header.split(/\s+/)).toEqual(
      expect.arrayContaining(["PHASE", "SUBJECT", "ACTOR", "CHANGE", "BRANCH", "POD"]),
    );
    expect(row).toMatch(/ Succeeded .*acme\/shop#1 .*bellhop\/1-/);
  });

  it("allows the agent's container egress only to the broker, and gives it no credential", async () => {
    const podIP = (namespace: string, part: string): Promise<string> =>
      field(".items[0].status.podIP", "pods", "-n", namespace, "-l", `app.kubernetes.io/component=${part}`);
    const broker = `${await podIP(release.brokerNamespace, "broker")}:8443`;
    const closed = [
      `${await field(".spec.clusterIP", "service", "kubernetes")}:443`,
      `${place.node.address}:6443`,
      `${place.node.address}:10250`,
      `${await podIP(release.namespace, "operator")}:8081`,
      `${await podIP(release.namespace, "gateway")}:8080`,
      `${await podIP(release.brokerNamespace, "broker")}:8081`,
      "203.0.113.10:443",
    ];
    // A server listens at each address: without the policy the agent would reach it.
    for (const address of [broker, ...closed]) {
      const [host = "", port = ""] = address.split(":");
      const opened = await place.node.exec(["bash", "-c", `exec 3<> /dev/tcp/${host}/${port}`], { timeoutMs: 5_000 });
      expect({ address, code: opened.code }).toEqual({ address, code: 0 });
    }
    await agentRuns(place, "node", "/agents/explore.mjs", broker, ...closed);
    const { task } = await ask(place, "Look around");
    const ended = await reported(place, task);
    expect(ended.status).toMatchObject({ phase: "Succeeded" });
    const explored = JSON.parse(await place.git("show", `${ended.status?.result?.commit}:explored.json`)) as {
      user: number;
      tried: number;
      reached: string[];
      files: Record<string, string>;
    };
    expect(explored).toMatchObject({ tried: closed.length + 1, reached: [broker] });
    expect(explored.user).not.toBe(0);
    expect(Object.keys(explored.files).filter((path) => /secrets|token/.test(path))).toEqual([]);
    // The agent did look: it found its own prompt.
    expect(Object.keys(explored.files)).toContain("/bellhop/in/prompt.md");
    // The agent owns the checkout: it may change modes, and they are published.
    expect(await place.git("ls-tree", ended.status?.result?.commit ?? "", "README.md")).toMatch(/^100755 /);
    const pod = ended.status?.attempts?.at(-1)?.podName ?? "";
    expect(await field(".spec.automountServiceAccountToken", "pod", "-n", place.namespace, pod)).toBe("false");
  });

  describe("with agents that misbehave at the same time", () => {
    const asked = new Map<string, Asked>();
    const inItsPod = ({ status }: AgentTask): boolean => status?.attempts?.at(-1)?.podUID !== undefined;
    const workspaceSize = (size: string | null): Promise<string> => {
      const patch = JSON.stringify({ spec: { sandbox: { workspaceSize: size } } });
      return inTeam(["patch", "agentprofile", "default", "--type=merge", "-p", patch]);
    };

    beforeAll(
      onNode(async () => {
        await workspaceSize("16Mi");
        for (const way of ["fill", "links", "linger"]) {
          await agentRuns(place, "/bin/sh", "/agents/hostile.sh", way);
          const each = await ask(place, `Let it ${way}`);
          asked.set(way, each);
          // A pod gets the profile's command at its creation.
          await taskWhere(place, each.task, "in its pod", inItsPod);
        }
      }),
    );
    afterAll(onNode(() => workspaceSize(null)));

    const endOf = async (way: string): Promise<{ issue: number; task: AgentTask; why: string | undefined }> => {
      const { issue, task: name } = asked.get(way) ?? { issue: 0, task: way };
      const task = await reported(place, name);
      return { issue, task, why: task.status?.conditions?.find(({ type }) => type === "Succeeded")?.reason };
    };
    const published = async (way: string): Promise<{ issue: number; task: AgentTask; commit: string }> => {
      const { issue, task, why } = await endOf(way);
      expect(why, JSON.stringify(task.status)).toBe("Published");
      return { issue, task, commit: task.status?.result?.commit ?? "" };
    };

    it("evicts an agent that fills its disk, pushes nothing, and names the volume", async () => {
      const { issue, task, why } = await endOf("fill");
      expect(why, JSON.stringify(task.status)).toBe("Evicted");
      expect((await botComments(place, issue)).join("\n")).toMatch(/volume .*workspace.* exceeds the limit .*16Mi/);
      expect(task.status?.publish).toBeUndefined();
      expect(await place.git("for-each-ref", `refs/heads/bellhop/${issue}-*`)).toBe("");
    });

    it("reads nothing through links to the courier's token", async () => {
      const { issue, task, commit } = await published("links");
      expect(await place.git("ls-tree", commit, "leak")).toMatch(/^120000 /);
      expect(await place.git("show", `${commit}:leak`)).toBe("/bellhop/token/token");
      // The token is a JWT.
      const said = [JSON.stringify(task), ...(await botComments(place, issue)), await place.git("show", commit)];
      expect(said.join("\n")).not.toMatch(/eyJ[\w-]{10,}\./);
    });

    it("ignores everything that an agent writes after its end", async () => {
      const { commit } = await published("linger");
      const files = (await place.git("ls-tree", "--name-only", commit)).split("\n");
      expect(files).toContain("linger.txt");
      expect(files).not.toContain("late.txt");
    });
  });

  it("shows no secret to anybody who may not read Secrets", async () => {
    const known = await canaries(place);
    for (const namespace of [...secretNamespaces, place.namespace]) {
      expect(known.map(({ from }) => from)).toContainEqual(expect.stringMatching(new RegExp(`^${namespace}/`)));
    }
    const shown = await surfaces(place, done.issue);
    expect(shown["commits"]).toContain("explored.json");
    const leaks = Object.entries(shown).flatMap(([where, text]) => [
      ...known
        .filter(({ forms }) => forms.some((form) => text.includes(form)))
        .map(({ from }) => `${from} in ${where}`),
      // All installation and user tokens that GitHub minted meanwhile.
      ...(text.match(/\bgh[supo]_[A-Za-z0-9]{16,}/g) ?? []).map(() => `a GitHub token in ${where}`),
    ]);
    expect(leaks).toEqual([]);
  });

  it("kills an agent that ignores the command `stop`", async () => {
    await agentRuns(place, "/bin/sh", "/agents/hostile.sh", "hang");
    const { issue, task } = await ask(place, "Never end");
    await taskWhere(place, task, "running", running);
    const agents = (): number[] => processesWith("/agents/hostile.sh", "hang");
    await until(() => agents().length > 0, { what: "the agent's process", timeoutMs: 60_000 });
    await say(place, issue, "stop");
    await until(() => agents().length === 0, { what: "the end of the agent", timeoutMs: 60_000 });
    const ended = await reported(place, task);
    expect(ended.status).toMatchObject({ phase: "Cancelled" });
    expect(ended.status?.publish).toBeUndefined();
  });

  it.each([
    {
      name: "somebody's NetworkPolicy allows it more traffic",
      open: () => inTeam(["create", "-f", "-"], JSON.stringify(everythingGoes)),
      close: () => inTeam(["delete", "networkpolicy", "everything-goes"]),
      reason: "ForeignNetworkPolicy",
    },
    {
      name: "the NetworkPolicy that isolates it is deleted",
      open: (task: string) => inTeam(["delete", "networkpolicy", `${task}-sandbox`]),
      close: async () => "",
      reason: "NetworkPolicyChanged",
    },
  ])("ends an agent at once if $name", async ({ open, close, reason }) => {
    await agentRuns(place, "/bin/sh", "/agents/hostile.sh", "hang");
    const { task } = await ask(place, "Work for long");
    const agents = (): number[] => processesWith("/agents/hostile.sh", "hang");
    await until(() => agents().length > 0, { what: "the agent's process", timeoutMs: 60_000 });
    await open(task);
    await until(() => agents().length === 0, { what: "the end of the agent", timeoutMs: 60_000 });
    await close();
    const ended = await reported(place, task);
    const why = ended.status?.conditions?.find(({ type }) => type === "Succeeded");
    expect(why).toMatchObject({ status: "False", reason });
  });

  it("deletes all objects of a task with the task", async () => {
    const kinds = "configmaps,networkpolicies,pods";
    expect(new Set(await ownedBy(done.task, kinds))).toEqual(new Set(["ConfigMap", "NetworkPolicy", "Pod"]));
    await place.kubectl(["delete", "agenttask", "-n", place.namespace, done.task.metadata.name, "--timeout=60s"]);
    const gone = async (): Promise<boolean> => (await ownedBy(done.task, kinds)).length === 0;
    await until(gone, { what: "the end of what the task owned", timeoutMs: 60_000 });
  });
});

describe("an installation on a cluster that does not enforce network policies", () => {
  let place: NodePlace;
  beforeAll(
    onNode(async () => {
      place = await startPlace({ name: "journey-open", networkPolicy: "ignored" });
    }),
  );
  afterAll(() => place?.close());

  it("starts no agent, pushes nothing, and reports the reason", async () => {
    const { issue, task } = await ask(place, "Say hello in the README");
    const ended = await reported(place, task);
    expect(ended.status?.phase).toBe("Failed");
    const why = ended.status?.conditions?.find(({ type }) => type === "Succeeded");
    expect(why).toMatchObject({ status: "False", reason: "EgressNotEnforced" });
    expect(await place.git("for-each-ref", "--format=%(refname)", "refs/heads")).toBe("refs/heads/main\n");
    const said = (await botComments(place, issue)).join("\n");
    expect(said).toMatch(/^\*\*Failed .*The agent was not started.*its pod could reach .*198\.51\.100\.1:6443/s);
    const pod = ended.status?.attempts?.at(-1)?.podName ?? "";
    const started = "jsonpath={.status.containerStatuses[?(@.name=='agent')].state.running}";
    expect(await place.kubectl(["get", "pod", "-n", place.namespace, pod, "-o", started])).toBe("");
  });
});
