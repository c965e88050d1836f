import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../shared/fake-clock.ts";
import { connect, loadKubeConfig } from "./config.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "bellhop-config-"));
});
afterEach(() => rm(dir, { recursive: true }));

const write = (name: string, text: string): Promise<void> => writeFile(join(dir, name), text);

async function mounted(): Promise<void> {
  await Promise.all([write("token", "first\n"), write("ca.crt", "CA"), write("namespace", "bellhop\n")]);
}

const pod = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "6443" };

const kubeconfig = (more: { namespace?: string } = {}): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "one",
    clusters: [
      {
        name: "c",
        cluster: {
          server: "https://example.test:6443",
          "certificate-authority-data": Buffer.from("CA").toString("base64"),
          "tls-server-name": "kubernetes",
        },
      },
    ],
    users: [
      { name: "u", user: { token: "t-1" } },
      {
        name: "cert",
        user: {
          "client-certificate-data": Buffer.from("CERT").toString("base64"),
          "client-key-data": Buffer.from("KEY").toString("base64"),
        },
      },
    ],
    contexts: [
      { name: "one", context: { cluster: "c", user: "u", ...more } },
      { name: "two", context: { cluster: "c", user: "cert", namespace: "other" } },
    ],
  });

describe("in a pod", () => {
  it("reads address, CA, namespace and token from the places that the kubelet fills", async () => {
    await mounted();
    const config = await loadKubeConfig({ env: pod, serviceAccountDir: dir });
    expect(config).toMatchObject({ server: "https://10.96.0.1:6443", tls: { ca: "CA" }, namespace: "bellhop" });
    expect(await config.authorization?.()).toBe("Bearer first");
  });

  it("writes an IPv6 address in URL form", async () => {
    await mounted();
    const config = await loadKubeConfig({ env: { KUBERNETES_SERVICE_HOST: "fd00::1" }, serviceAccountDir: dir });
    expect(config.server).toBe("https://[fd00::1]:443");
  });

  it("reads the token again after a minute, and keeps the old one while it cannot be read", async () => {
    await mounted();
    const clock = new FakeClock();
    const config = await loadKubeConfig({ env: pod, serviceAccountDir: dir, clock });
    await write("token", "second");
    await clock.advance(59_000);
    expect(await config.authorization?.()).toBe("Bearer first");
    await clock.advance(1_000);
    expect(await config.authorization?.()).toBe("Bearer second");
    await rm(join(dir, "token"));
    await clock.advance(60_000);
    expect(await config.authorization?.()).toBe("Bearer second");
  });

  it("names the missing file", async () => {
    await expect(loadKubeConfig({ env: pod, serviceAccountDir: dir })).rejects.toThrow(
      /ca\.crt.*Check that the pod mounts/,
    );
  });
});

describe("out of the cluster", () => {
  it("reads the kubeconfig that KUBECONFIG names, also in a pod", async () => {
    await write("config", kubeconfig());
    const config = await loadKubeConfig({ env: { ...pod, KUBECONFIG: join(dir, "config") } });
    expect(config).toMatchObject({
      server: "https://example.test:6443",
      tls: { ca: "CA", servername: "kubernetes" },
      namespace: "default",
    });
    expect(await config.authorization?.()).toBe("Bearer t-1");
  });

  it("uses the given context, with its client certificate and namespace", async () => {
    await write("config", kubeconfig());
    const config = await loadKubeConfig({ kubeconfig: join(dir, "config"), context: "two", env: {} });
    expect(config).toMatchObject({ tls: { cert: "CERT", key: "KEY" }, namespace: "other" });
    expect(await config.authorization?.()).toBeUndefined();
  });

  it("falls back to ~/.kube/config, and says what to do if that is missing", async () => {
    await expect(connect({ env: { HOME: dir } })).rejects.toThrow(/Set KUBECONFIG/);
    await mkdir(join(dir, ".kube"));
    await write(".kube/config", kubeconfig({ namespace: "mine" }));
    const { client, config } = await connect({ env: { HOME: dir } });
    await client.close();
    expect(config.namespace).toBe("mine");
  });

  it("says what is wrong with a kubeconfig", async () => {
    await write("config", kubeconfig());
    const missing = join(dir, "missing");
    await expect(loadKubeConfig({ kubeconfig: missing })).rejects.toThrow(`Could not read the kubeconfig ${missing}`);
    await expect(loadKubeConfig({ kubeconfig: join(dir, "config"), context: "three" })).rejects.toThrow(
      /no cluster for the context "three"/,
    );
  });
});
