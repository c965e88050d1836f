import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { leftCgroups } from "../cluster/node/cgroups.ts";
import type { ExternalHost, RealNode } from "../cluster/node/index.ts";
import { startNode, stopNodeNamed } from "../cluster/node/index.ts";
import { layoutOf } from "../cluster/node/options.ts";
import { childrenOf, identify, isRunning, type ProcessId } from "../cluster/node/processes.ts";
import { until } from "../cluster/node/wait.ts";
import { aPod, aPolicy, busybox } from "./node-objects.ts";
import { onNode } from "./on-node.ts";

const name = "node-test";
let node: RealNode;

beforeAll(
  onNode(async () => {
    node = await startNode({ name });
  }),
);
afterAll(() => node?.stop());

const apply = (...objects: object[]): Promise<string> =>
  node.kubectl(["apply", "-f", "-"], { input: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }) });

const ready = (...pods: string[]): Promise<string> =>
  node.kubectl(["wait", "--for=condition=Ready", "--timeout=60s", ...pods.map((pod) => `pod/${pod}`)]);

const field = (object: string, path: string): Promise<string> =>
  node.kubectl(["get", object, "-o", `jsonpath={${path}}`]);

const phase = (pod: string, wanted: string): Promise<true> =>
  until(async () => (await field(`pod/${pod}`, ".status.phase")) === wanted, {
    what: `${pod} ${wanted}`,
    timeoutMs: 60_000,
  });

/** The answer of a web server to a pod, or undefined if the pod cannot reach it. */
async function fetchFrom(pod: string, address: string): Promise<string | undefined> {
  const answer = await node.exec(["kubectl", "exec", pod, "-c", "main", "--", ...get(address)], { timeoutMs: 15_000 });
  return answer.stdout.trim() || undefined;
}

/** Not wget: the static one crashes if the image has no C library. */
function get(address: string): string[] {
  const [host, port] = address.split(":");
  return busybox(
    "sh",
    "-c",
    `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 2 ${host} ${port} | busybox tail -n 1`,
  );
}

describe("a pod on the node", () => {
  it("runs with a native sidecar under the restricted standard until it succeeds, and its log can be read", async () => {
    await node.kubectl([
      "label",
      "namespace",
      "default",
      "pod-security.kubernetes.io/enforce=restricted",
      "--overwrite",
    ]);
    const script = `test -s /token/token && echo said; echo bye > /dev/termination-log`;
    const token = { serviceAccountToken: { path: "token", audience: "bellhop-test", expirationSeconds: 600 } };
    await apply(
      aPod("work", {
        sidecar: busybox("sleep", "1000"),
        command: busybox("sh", "-c", script),
        volumes: [{ name: "token", projected: { sources: [token] } }],
        mounts: [{ name: "token", mountPath: "/token" }],
      }),
    );
    await phase("work", "Succeeded");
    expect(await node.kubectl(["logs", "work", "-c", "main"])).toBe("said\n");
    expect(await field("pod/work", ".status.containerStatuses[0].state.terminated.message")).toBe("bye\n");
    expect(await field("pod/work", ".status.initContainerStatuses[0].state.terminated.exitCode")).toBe("137");
  });

  it("is refused by the API server if it violates the restricted standard", async () => {
    const asRoot = aPod("as-root", { command: busybox("true"), securityContext: { runAsUser: 0 } });
    await expect(apply(asRoot)).rejects.toThrow(/violates PodSecurity "restricted/);
  });
});

describe("the network", () => {
  let internet: ExternalHost;
  const everywhere: Record<string, string> = {};

  beforeAll(
    onNode(async () => {
      internet = await node.externalHost("internet", "203.0.113.7");
      writeFileSync(`${node.folder}/index.html`, "internet\n");
      const server = internet.start("web", busybox("httpd", "-f", "-p", "80", "-h", node.folder));
      const asked = ["busybox", "wget", "-q", "-O", "-", "http://127.0.0.1"];
      await server.ready(async () => (await internet.exec(asked)).stdout === "internet\n", 5_000);
      const serve = busybox("sh", "-c", "echo $HOSTNAME > /tmp/index.html; busybox httpd -f -p 8080 -h /tmp");
      await apply(
        aPod("web", { labels: { app: "web" }, command: serve }),
        aPod("other", { labels: { app: "other" }, command: serve }),
        {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "web" },
          spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
        },
        aPolicy("agents-reach-web-only", {
          podSelector: { matchLabels: { role: "agent" } },
          policyTypes: ["Ingress", "Egress"],
          egress: [{ to: [{ podSelector: { matchLabels: { app: "web" } } }], ports: [{ port: 8080 }] }],
        }),
      );
      await ready("web", "other");
      everywhere["service"] = `${await field("service/web", ".spec.clusterIP")}:80`;
      everywhere["web"] = `${await field("pod/web", ".status.podIP")}:8080`;
      everywhere["other"] = `${await field("pod/other", ".status.podIP")}:8080`;
      everywhere["internet"] = "203.0.113.7:80";
    }),
  );

  it("lets an ordinary pod reach services, pods and outside hosts", async () => {
    await apply(aPod("visitor", { command: busybox("sleep", "1000") }));
    await ready("visitor");
    const seen = await Promise.all(Object.values(everywhere).map((url) => fetchFrom("visitor", url)));
    expect(seen).toEqual(["web", "web", "other", "internet"]);
  });

  it("lets a selected pod reach only the allowed peers, also through a service's address", async () => {
    // The rules apply from the start of the pod: the first line of its log shows its first attempt.
    const first = `exec 2> /dev/null; answer=$(${get(everywhere["other"]!)[3]}); echo "got [$answer]"; busybox sleep 1000`;
    await apply(aPod("agent", { labels: { role: "agent" }, command: busybox("sh", "-c", first) }));
    await ready("agent");
    const seen = await Promise.all(Object.values(everywhere).map((url) => fetchFrom("agent", url)));
    expect(seen).toEqual(["web", "web", undefined, undefined]);
    const log = (): Promise<string> => node.kubectl(["logs", "agent", "-c", "main"]);
    expect(await until(async () => (await log()) || undefined, { what: "its first line", timeoutMs: 60_000 })).toMatch(
      /^got \[\]\n$/,
    );
  });

  it("denies a selected pod its own node and the API server, but not other pods", async () => {
    // Plain HTTP on a TLS port: an answer says that the connection was made.
    const api = `${node.address}:6443`;
    expect(await fetchFrom("visitor", api)).toMatch(/HTTP request to an HTTPS server/);
    expect(await fetchFrom("agent", api)).toBeUndefined();
  });

  it("applies a changed policy", async () => {
    await apply(
      aPolicy("agents-reach-internet", {
        podSelector: { matchLabels: { role: "agent" } },
        policyTypes: ["Egress"],
        egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }] }],
      }),
    );
    const open = async (): Promise<boolean> => (await fetchFrom("agent", everywhere["internet"]!)) === "internet";
    await until(open, { what: "the internet, allowed", timeoutMs: 60_000, everyMs: 50 });
    expect(await fetchFrom("agent", everywhere["other"]!)).toBeUndefined();
    await node.kubectl(["delete", "networkpolicy", "agents-reach-internet"]);
    await until(async () => !(await open()), { what: "the internet, closed again", timeoutMs: 60_000, everyMs: 50 });
  });

  it("allows no ingress to a pod whose policy allows no peer", async () => {
    expect(await fetchFrom("visitor", everywhere["other"]!)).toBe("other");
    await apply(
      aPolicy("other-hears-no-one", { podSelector: { matchLabels: { app: "other" } }, policyTypes: ["Ingress"] }),
    );
    const closed = async (): Promise<boolean> => (await fetchFrom("visitor", everywhere["other"]!)) === undefined;
    await until(closed, { what: "the pod, closed", timeoutMs: 60_000, everyMs: 50 });
  });
});

describe("a second node", () => {
  it("starts, runs pods, stops, and starts again, and leaves nothing behind", async () => {
    const before = leftovers();
    for (const _ of [1, 2]) {
      const second = await startNode({
        name: "second",
        nodeAddress: "198.51.100.9",
        podCIDR: "10.245.0.0/24",
        networkPolicy: "ignored",
      });
      try {
        const pod = JSON.stringify(aPod("work", { command: busybox("sleep", "1000") }));
        await second.kubectl(["apply", "-f", "-"], { input: pod });
        await second.kubectl(["wait", "--for=condition=Ready", "--timeout=60s", "pod/work"]);
        const outside = await second.externalHost("outside", "203.0.113.9");
        outside.start("sleeper", busybox("sh", "-c", "busybox sleep 1000; true", second.folder));
        second.start("sleeper", busybox("sh", "-c", "busybox sleep 1000; true", second.folder));
        expect(leftovers()).not.toEqual(before);
      } finally {
        await second.stop();
      }
      await second.stop();
      expect(leftovers()).toEqual(before);
      expect(leftCgroups(layoutOf({ name: "second" }).cgroup)).toEqual([]);
      expect(existsSync(layoutOf({ name: "second" }).folder)).toBe(false);
    }
    expect(await field("pod/web", ".status.phase")).toBe("Running");
  });
});

describe("a node whose starter is killed", () => {
  const starter = `
    import { createNamespaces } from ${JSON.stringify(join(import.meta.dirname, "../cluster/node/namespaces.ts"))};
    import { layoutOf } from ${JSON.stringify(join(import.meta.dirname, "../cluster/node/options.ts"))};
    const { holder } = await createNamespaces(layoutOf(JSON.parse(process.argv[1])));
    console.log(JSON.stringify(holder));
    setInterval(() => {}, 1000);
  `;

  it.each([
    { outlives: false, how: "ends with it" },
    { outlives: true, how: "keeps running if `outlives` is set" },
  ])("$how", async ({ outlives }) => {
    const options = { name: "orphan", outlives };
    const child = spawn(process.execPath, ["--input-type=module", "-e", starter, JSON.stringify(options)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [line] = (await once(child.stdout, "data")) as [Buffer];
      const holder = JSON.parse(line.toString()) as ProcessId;
      expect(isRunning(holder)).toBe(true);
      // Other processes that it started could still end the node.
      const others = childrenOf(child.pid ?? 0).flatMap((pid) => (pid === holder.pid ? [] : (identify(pid) ?? [])));
      child.kill("SIGKILL");
      const over = (): boolean => !others.some(isRunning) && (outlives || !isRunning(holder));
      await until(over, { what: "the end of what was started", timeoutMs: 60_000 });
      expect(isRunning(holder)).toBe(outlives);
    } finally {
      child.kill("SIGKILL");
      await stopNodeNamed(options.name);
    }
  });
});

/** Traces of the second node on this machine: processes and mounts that name its folder, and named network namespaces. */
function leftovers(): { processes: string[]; mounts: string[]; networks: string[] } {
  const folder = layoutOf({ name: "second" }).folder;
  const processes = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(folder));
  const networks = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  return { processes, mounts: mounts.filter((line) => line.includes(folder)), networks };
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
