import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { daemonsFolder, type DaemonOptions } from "../cluster/daemons.ts";
import type { DaemonUse } from "../cluster/daemons/machine.ts";

const modules = readFileSync(join(import.meta.dirname, "../cluster/daemons/go.mod"), "utf8");
const pinned = /k8s\.io\/kubernetes (v\S+)/.exec(modules)?.[1] ?? "";
const pinnedEtcd = /etcd\/server\/v3 v(\S+)/.exec(modules)?.[1] ?? "";

const controlPlane = ["etcd", "kube-apiserver"];
const everything = [...controlPlane, "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"];

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "bellhop-daemons-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
});

/** A folder with daemons that print a version. */
function aFolder(
  name: string,
  daemons: readonly string[],
  versions: { kubernetes?: string; etcd?: string } = {},
): string {
  const { kubernetes = pinned, etcd = pinnedEtcd } = versions;
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  for (const daemon of daemons) {
    const says = daemon === "etcd" ? `etcd Version: ${etcd}\\nGit SHA: abc` : `Kubernetes ${kubernetes}`;
    writeFileSync(join(folder, daemon), `#!/bin/sh\n[ "$1" = --version ] && printf '${says}\\n'\n`, { mode: 0o755 });
  }
  return folder;
}

/** The chosen folder, and the printed lines; `built` is the build in the cache. */
async function choose(
  use: DaemonUse,
  { assets, path = [], built }: { assets?: string; path?: string[]; built?: string },
): Promise<{ folder: string; said: string[] }> {
  const said: string[] = [];
  const env = {
    HOME: root,
    PATH: path.join(delimiter),
    ...(assets !== undefined && { KUBEBUILDER_ASSETS: assets }),
  };
  const options: DaemonOptions = {
    env,
    usual: [],
    say: (line) => said.push(line),
    build: () => Promise.resolve("a new build"),
    built: () => Promise.resolve(built),
  };
  return { folder: await daemonsFolder(use, options), said };
}

describe("the daemons of a control plane", () => {
  it("come from KUBEBUILDER_ASSETS, even if our own are built, and a line reports it", async () => {
    const assets = aFolder("assets", controlPlane);
    expect(await choose("control plane", { assets, built: "our build" })).toEqual({
      folder: assets,
      said: [`using Kubernetes ${pinned} and etcd ${pinnedEtcd} of ${assets} (KUBEBUILDER_ASSETS)`],
    });
  });

  it("may be newer than ours", async () => {
    const assets = aFolder("assets", controlPlane, { kubernetes: "v1.99.0", etcd: "3.99.1" });
    expect((await choose("control plane", { assets })).folder).toBe(assets);
  });

  it.each([
    {
      what: "Kubernetes",
      versions: { kubernetes: "v1.29.4" },
      why: /has kube-apiserver v1\.29\.4, and 1\.\d+ or newer is/,
    },
    { what: "etcd", versions: { etcd: "3.4.9" }, why: /has etcd 3\.4\.9, and 3\.\d+ or newer is needed/ },
  ])("are our own if the $what of KUBEBUILDER_ASSETS is too old, and a line reports it", async ({ versions, why }) => {
    const assets = aFolder("assets", controlPlane, versions);
    const { folder, said } = await choose("control plane", { assets });
    expect(folder).toBe("a new build");
    expect(said).toEqual([expect.stringMatching(why)]);
    expect(said[0]).toMatch(/: using our own build instead, which is made first$/);
  });

  it("are our own if those of KUBEBUILDER_ASSETS do not run", async () => {
    const assets = aFolder("assets", controlPlane);
    writeFileSync(join(assets, "kube-apiserver"), "not a program");
    const { folder, said } = await choose("control plane", { assets, built: "our build" });
    expect(folder).toBe("our build");
    expect(said).toEqual([expect.stringContaining("has a kube-apiserver that does not say its version")]);
  });

  it("are our own build before those of the machine, without a message", async () => {
    const bin = aFolder("bin", everything);
    expect(await choose("control plane", { path: [bin], built: "our build" })).toEqual({
      folder: "our build",
      said: [],
    });
  });

  it("are those on the PATH if nothing is built", async () => {
    const bin = aFolder("bin", controlPlane);
    const { folder, said } = await choose("control plane", { path: [join(root, "none"), bin] });
    expect(folder).toBe(bin);
    expect(said).toEqual([`using Kubernetes ${pinned} and etcd ${pinnedEtcd} of ${bin} (on the PATH)`]);
  });

  it("may be in several folders of the PATH, and are then linked into one", async () => {
    vi.stubEnv("XDG_CACHE_HOME", join(root, "cache"));
    onTestFinished(() => void vi.unstubAllEnvs());
    const path = [aFolder("one", ["etcd"]), aFolder("two", ["kube-apiserver"])];
    const { folder } = await choose("control plane", { path });
    expect(readdirSync(folder)).toEqual(controlPlane);
    expect(readlinkSync(join(folder, "etcd"))).toBe(join(root, "one", "etcd"));
    expect((await choose("control plane", { path })).folder).toBe(folder);
  });

  it("are the newest suitable ones that setup-envtest has fetched", async () => {
    const store = ".local/share/kubebuilder-envtest/k8s";
    aFolder(`${store}/1.9.0-linux-amd64`, controlPlane, { kubernetes: "v1.9.0" });
    aFolder(`${store}/1.99.0-linux-amd64`, controlPlane, { kubernetes: "v1.99.0" });
    const newest = aFolder(`${store}/1.100.0-linux-amd64`, controlPlane, { kubernetes: "v1.100.0" });
    expect((await choose("control plane", {})).folder).toBe(newest);
  });

  it("are built if the machine has none, without a message", async () => {
    expect(await choose("control plane", {})).toEqual({ folder: "a new build", said: [] });
  });
});

describe("the daemons of a node", () => {
  it("come from KUBEBUILDER_ASSETS if all are there", async () => {
    const assets = aFolder("assets", everything);
    expect((await choose("node", { assets })).folder).toBe(assets);
  });

  it("are our own if KUBEBUILDER_ASSETS has only a control plane's, and a line names the missing ones", async () => {
    const assets = aFolder("assets", controlPlane);
    expect(await choose("node", { assets })).toEqual({
      folder: "a new build",
      said: [
        `${assets} (KUBEBUILDER_ASSETS) has no kube-controller-manager, no kube-scheduler, no kubelet, no kube-proxy: ` +
          "using our own build instead, which is made first",
      ],
    });
  });

  it("are our own if those of the machine have different minor versions, and a line reports it", async () => {
    const path = [
      aFolder("one", everything.slice(0, 4)),
      aFolder("two", ["kubelet", "kube-proxy"], { kubernetes: "v1.99.0" }),
    ];
    expect(await choose("node", { path })).toEqual({
      folder: "a new build",
      said: [`the PATH has kube-apiserver ${pinned} beside kubelet v1.99.0: not used`],
    });
  });
});
