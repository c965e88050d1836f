import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { connect } from "../../src/kube/config.ts";
import { configMaps, pods, type Pod, serviceAccounts, tokenReviews } from "../../src/kube/resources.ts";
import type { KubeConnection } from "../../src/kube/types.ts";
import { aNamespace, eventually } from "./namespace.ts";
import { type ProcessNode, startProcessNode } from "./process-node.ts";
import { aPod, aPodThat, ended, gone, isAlive, running, sh, statusOf } from "./process-node/testing.ts";
import type { Container, PodSpec } from "./process-node/types.ts";

let client: KubeConnection;
let node: ProcessNode;
let namespace: string;

beforeAll(async () => {
  const kubeconfigPath = inject("kubeconfigPath");
  ({ client } = await connect({ kubeconfig: kubeconfigPath }));
  namespace = await aNamespace(client, "process-node");
  node = await startProcessNode({ kubeconfigPath, namespace, tokenMaxAgeSeconds: 1 });
});
afterAll(async () => {
  await node?.stop();
  await client?.close();
});

const create = (name: string, spec: Partial<PodSpec> & { containers: Container[] }): Promise<Pod> =>
  client.create(pods, aPod(namespace, name, spec));
const log = (pod: Pod, container: string): Promise<string> =>
  node.logOf({ namespace, name: pod.metadata.name, uid: pod.metadata.uid! }, container);
const shared = { volumes: [{ name: "shared", emptyDir: {} }] };
const mounted: Partial<Container> = {
  env: [{ name: "SHARED", value: "/shared" }],
  volumeMounts: [{ name: "shared", mountPath: "/shared" }],
};
/** Kubernetes replaces `$$` by `$`, so the process id of a shell (`$$`) is written `$$$$` here. */
const until = (condition: string): string => `until ${condition}; do sleep 0.05; done`;

describe("the order of containers", () => {
  it("is init, native sidecar, main; the sidecar gets SIGTERM after the last main container has ended", async () => {
    const pod = await create("order", {
      ...shared,
      initContainers: [
        sh("first", 'echo first >> "$SHARED/order"', mounted),
        sh(
          "beside",
          `trap 'echo sidecar-ended >> "$SHARED/order"; cp "$SHARED/order" "$MESSAGE"; exit 0' TERM
           echo sidecar >> "$SHARED/order"; ${until("false")}`,
          {
            ...mounted,
            restartPolicy: "Always",
            env: [...mounted.env!, { name: "MESSAGE", value: "/dev/termination-log" }],
          },
        ),
      ],
      containers: [
        sh("short", `${until('grep -q sidecar "$SHARED/order"')}; echo main >> "$SHARED/order"`, mounted),
        sh("long", `${until('grep -q main "$SHARED/order"')}; sleep 0.3; echo main >> "$SHARED/order"`, mounted),
      ],
    });
    const after = await ended(client, pod);
    expect(after.status).toMatchObject({ phase: "Succeeded", podIP: "127.0.0.1" });
    expect(after.spec?.nodeName).toBe(node.nodeName);
    expect(statusOf(after, "beside")?.state?.terminated).toMatchObject({
      exitCode: 0,
      reason: "Completed",
      message: "first\nsidecar\nmain\nmain\nsidecar-ended\n",
    });
    expect(after.status?.conditions).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: "PodScheduled", status: "True" }),
        expect.objectContaining({ type: "Initialized", status: "True" }),
        expect.objectContaining({ type: "ContainersReady", status: "False", reason: "PodCompleted" }),
        expect.objectContaining({ type: "Ready", status: "False", reason: "PodCompleted" }),
      ]),
    );
  });

  it("restarts a sidecar that ends early, and keeps its termination message", async () => {
    const pod = await create("restarts", {
      ...shared,
      initContainers: [
        sh(
          "beside",
          `if [ -e "$SHARED/again" ]; then touch "$SHARED/done"; ${until("false")}; fi
           touch "$SHARED/again"; echo before > "$MESSAGE"; exit 7`,
          {
            ...mounted,
            restartPolicy: "Always",
            env: [...mounted.env!, { name: "MESSAGE", value: "/dev/termination-log" }],
          },
        ),
      ],
      containers: [sh("main", until('[ -e "$SHARED/done" ]'), mounted)],
    });
    const after = await ended(client, pod);
    expect(after.status?.phase).toBe("Succeeded");
    const beside = statusOf(after, "beside");
    expect(beside?.restartCount).toBe(1);
    expect(beside?.lastState?.terminated).toMatchObject({ exitCode: 7, message: "before\n" });
  });

  it("is ready while everything runs", async () => {
    const pod = await create("ready", { containers: [sh("main", until("false"))] });
    const isReady = ({ status }: Pod): boolean =>
      status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
    expect(statusOf(await aPodThat(client, pod, "to be ready", isReady), "main")).toMatchObject({
      ready: true,
      started: true,
    });
    await client.delete(pods, { namespace, name: "ready" }, { gracePeriodSeconds: 1 });
    await gone(client, pod);
  });
});

describe("an ending", () => {
  it("has the exit code, or 128 and the signal's number", async () => {
    const pod = await create("codes", {
      containers: [sh("three", "exit 3"), sh("killed", "kill -KILL $$$$"), sh("fine", "true")],
    });
    const after = await ended(client, pod);
    expect(after.status?.phase).toBe("Failed");
    expect(statusOf(after, "three")?.state?.terminated).toMatchObject({ exitCode: 3, reason: "Error" });
    expect(statusOf(after, "killed")?.state?.terminated?.exitCode).toBe(137);
    expect(statusOf(after, "fine")?.state?.terminated).toMatchObject({ exitCode: 0, reason: "Completed" });
  });

  it("of an init container with an error prevents the start of the others", async () => {
    const pod = await create("no-init", { initContainers: [sh("first", "exit 4")], containers: [sh("main", "true")] });
    const after = await ended(client, pod);
    expect(after.status?.phase).toBe("Failed");
    expect(statusOf(after, "first")?.state?.terminated?.exitCode).toBe(4);
    expect(statusOf(after, "main")?.state).toEqual({ waiting: { reason: "PodInitializing" } });
  });

  it("keeps the last 4096 bytes of the termination message, or of the log if the pod asks for it", async () => {
    const message = { env: [{ name: "MESSAGE", value: "/words/last" }], terminationMessagePath: "/words/last" };
    const pod = await create("words", {
      containers: [
        sh("long", 'head -c 5000 /dev/zero | tr "\\0" a > "$MESSAGE"; printf end >> "$MESSAGE"', message),
        sh("logged", "echo from the log; exit 1", { terminationMessagePolicy: "FallbackToLogsOnError" }),
        sh("silent", "echo from the log; exit 1"),
      ],
    });
    const after = await ended(client, pod);
    expect(statusOf(after, "long")?.state?.terminated?.message).toBe(`${"a".repeat(4093)}end`);
    expect(statusOf(after, "logged")?.state?.terminated?.message).toBe("from the log\n");
    expect(statusOf(after, "silent")?.state?.terminated?.message).toBeUndefined();
  });

  it("has the reason DeadlineExceeded if the pod exceeded activeDeadlineSeconds", async () => {
    const pod = await create("late", {
      activeDeadlineSeconds: 1,
      terminationGracePeriodSeconds: 1,
      containers: [sh("main", until("false"))],
    });
    expect((await ended(client, pod)).status).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
  });

  it("has a message if this node cannot run the pod", async () => {
    const bare = await create("bare", { containers: [{ name: "main", image: "an-image" }] });
    const always = await create("always", { restartPolicy: "Always", containers: [sh("main", "true")] });
    const terminated = statusOf(await ended(client, bare), "main")?.state?.terminated;
    expect(terminated).toMatchObject({ exitCode: 128, reason: "StartError" });
    expect(terminated?.message).toContain("container main has no command");
    expect((await ended(client, always)).status).toMatchObject({ reason: "UnsupportedByProcessNode" });
  });
});

describe("the input of a container", () => {
  it("has its variables and volumes under local paths, and nothing of the node's own environment", async () => {
    await client.create(configMaps, { metadata: { name: "settings", namespace }, data: { key: "from-map" } });
    const pod = await create("given", {
      volumes: [
        { name: "settings", configMap: { name: "settings" } },
        { name: "about", downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
        { name: "data", emptyDir: {} },
      ],
      containers: [
        sh(
          "main",
          `cat "$SETTINGS/key" "$ABOUT/name"; echo "|$UID_OF|$IP|$GREETING|$(pwd)"
           ls -d "$PART" "$DATA/inner"; env > "$DATA/env"; cut -d= -f1 < "$DATA/env" | sort | tr "\\n" " "; cat "$1"`,
          {
            args: ["argument-zero", "/settings/key"],
            workingDir: "/data",
            env: [
              { name: "SETTINGS", value: "/settings" },
              { name: "ABOUT", value: "/about" },
              { name: "DATA", value: "/data" },
              { name: "PART", value: "/part" },
              { name: "UID_OF", valueFrom: { fieldRef: { fieldPath: "metadata.uid" } } },
              { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
              { name: "GREETING", value: "hello $(IP)" },
            ],
            volumeMounts: [
              { name: "settings", mountPath: "/settings", readOnly: true },
              { name: "about", mountPath: "/about" },
              { name: "data", mountPath: "/data" },
              { name: "data", mountPath: "/part", subPath: "inner" },
            ],
          },
        ),
      ],
    });
    expect((await ended(client, pod)).status?.phase).toBe("Succeeded");
    const { uid } = pod.metadata;
    const volumes = `${node.folder}/pods/${uid}/volumes`;
    expect(await log(pod, "main")).toBe(
      `from-mapgiven|${uid}|127.0.0.1|hello 127.0.0.1|${volumes}/data\n${volumes}/data/inner\n${volumes}/data/inner\n` +
        "ABOUT BELLHOP_PROCESS_NODE DATA GREETING HOME HOSTNAME IP PART PATH PWD SETTINGS TMPDIR UID_OF from-map",
    );
  });

  it("waits for a ConfigMap that does not exist yet, and the status says so", async () => {
    const pod = await create("waits", {
      volumes: [{ name: "later", configMap: { name: "later" } }],
      containers: [
        sh("main", 'cat "$LATER/key"', {
          env: [{ name: "LATER", value: "/later" }],
          volumeMounts: [{ name: "later", mountPath: "/later" }],
        }),
      ],
    });
    await aPodThat(
      client,
      pod,
      "to wait",
      (seen) => statusOf(seen, "main")?.state?.waiting?.message === "ConfigMap later not found",
    );
    await client.create(configMaps, { metadata: { name: "later", namespace }, data: { key: "here" } });
    expect((await ended(client, pod)).status?.phase).toBe("Succeeded");
    expect(await log(pod, "main")).toBe("here");
  });

  it("has a token for its audience, bound to the pod, and renewed while it runs", async () => {
    await client.create(serviceAccounts, { metadata: { name: "courier", namespace } });
    const source = { serviceAccountToken: { audience: "bellhop-broker", expirationSeconds: 600, path: "token" } };
    const pod = await create("token", {
      serviceAccountName: "courier",
      volumes: [{ name: "token", projected: { sources: [source] } }],
      containers: [
        sh(
          "main",
          `first=$(cat "$TOKEN"); ${until('[ "$(cat "$TOKEN")" != "$first" ]')}; cat "$TOKEN"; ${until("false")}`,
          {
            env: [{ name: "TOKEN", value: "/token/token" }],
            volumeMounts: [{ name: "token", mountPath: "/token", readOnly: true }],
          },
        ),
      ],
    });
    const token = await eventually(async () => (await log(pod, "main")) || undefined, { describe: "the second token" });
    const review = (audience: string) =>
      client.create(tokenReviews, { metadata: { name: "" }, spec: { token, audiences: [audience] } });
    expect((await review("bellhop-broker")).status).toMatchObject({
      authenticated: true,
      user: {
        username: `system:serviceaccount:${namespace}:courier`,
        extra: { "authentication.kubernetes.io/pod-uid": [pod.metadata.uid] },
      },
    });
    expect((await review("another")).status?.authenticated).toBeUndefined();
    await client.delete(pods, { namespace, name: "token" }, { gracePeriodSeconds: 0 });
  });
});

describe("a deletion", () => {
  it("gives main containers and then sidecars time to end", async () => {
    const pod = await create("graceful", {
      ...shared,
      initContainers: [
        sh("beside", `trap 'cat "$SHARED/left"; echo sidecar; exit 0' TERM; touch "$SHARED/up"; ${until("false")}`, {
          ...mounted,
          restartPolicy: "Always",
        }),
      ],
      containers: [
        sh(
          "main",
          `trap 'sleep 0.3; echo main > "$SHARED/left"; exit 0' TERM; touch "$SHARED/main"; echo up; ${until("false")}`,
          mounted,
        ),
      ],
    });
    await eventually(async () => (await log(pod, "main")) === "up\n", { describe: "the main container to listen" });
    await client.delete(pods, { namespace, name: "graceful" }, { gracePeriodSeconds: 10 });
    await gone(client, pod);
    expect(await log(pod, "beside")).toBe("main\nsidecar\n");
  });

  it("kills containers that do not end in time, with all their processes, also those that left the process group", async () => {
    const pod = await create("stubborn", {
      containers: [sh("main", `trap '' TERM; setsid sleep 1000 & echo $! $$$$; ${until("false")}`)],
    });
    const pids = await eventually(
      async () => {
        const found = (await log(pod, "main")).trim().split(" ").map(Number);
        return found.length === 2 && found;
      },
      { describe: "the process ids" },
    );
    expect(pids.map(isAlive)).toEqual([true, true]);
    await client.delete(pods, { namespace, name: "stubborn" }, { gracePeriodSeconds: 1 });
    await gone(client, pod);
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  it("writes the last status before the last finalizer is removed and the pod disappears", async () => {
    const draft = aPod(namespace, "held", { containers: [sh("main", until("false"))] });
    const pod = await client.create(pods, {
      ...draft,
      metadata: { ...draft.metadata, finalizers: ["example.com/harvest"] },
    });
    await running(client, pod);
    await client.delete(pods, { namespace, name: "held" }, { gracePeriodSeconds: 1 });
    const after = await ended(client, pod);
    expect(after.metadata.deletionTimestamp).toBeDefined();
    expect(statusOf(after, "main")?.state?.terminated?.exitCode).toBe(143);
    await client.jsonPatch(pods, { namespace, name: "held" }, [{ op: "remove", path: "/metadata/finalizers" }]);
    await gone(client, pod);
  });

  it("by force ends the processes at once", async () => {
    const pod = await create("forced", { containers: [sh("main", `trap '' TERM; echo $$$$; ${until("false")}`)] });
    const pid = await eventually(async () => Number(await log(pod, "main")) || undefined, {
      describe: "the process id",
    });
    await client.delete(pods, { namespace, name: "forced" }, { gracePeriodSeconds: 0 });
    await eventually(() => !isAlive(pid), { describe: "the process to end" });
  });
});
