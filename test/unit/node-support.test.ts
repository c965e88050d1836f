import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { countOf, type Report } from "../../scripts/report.ts";
import { type Machine, nodeSupport } from "../cluster/node/support.ts";

const root = join(import.meta.dirname, "..", "..");

/** A machine that can run a node; `refused`: parts of scripts that its kernel refuses. */
function aMachine({ refused = [], ...over }: Partial<Machine> & { refused?: string[] } = {}): Machine {
  return {
    platform: "linux",
    userId: 0,
    missing: [],
    canInstall: false,
    has: () => true,
    cgroups: () => undefined,
    inNamespaces: async (script) => refused.find((part) => script.includes(part)) && "Operation not permitted",
    ...over,
  };
}

describe("whether a node can run on a machine", () => {
  it.each<{ name: string; machine: Machine; reason: string }>([
    { name: "another system", machine: aMachine({ platform: "darwin" }), reason: "Linux, and this is darwin" },
    { name: "an ordinary user", machine: aMachine({ userId: 1000 }), reason: "root, for namespaces and mounts" },
    {
      name: "missing packages",
      machine: aMachine({ missing: ["runc", "ipset"] }),
      reason: "these Debian packages: runc ipset",
    },
    {
      name: "no cgroups",
      machine: aMachine({ cgroups: () => "/sys/fs/cgroup is not there" }),
      reason: "cgroups of its own: /sys/fs/cgroup is not there",
    },
    ...[
      ["namespaces and mounts", "tmpfs"],
      ["overlay mounts", "overlay"],
      ["links between namespaces", "veth"],
      ["iptables", "iptables"],
      ["ipset", "ipset"],
    ].map(([what = "", part = ""]) => ({
      name: `a kernel without ${what}`,
      machine: aMachine({ refused: [part] }),
      reason: `${what}, refused here: Operation not permitted`,
    })),
  ])("says what is missing: $name", async ({ machine, reason }) => {
    expect(await nodeSupport(machine)).toEqual({ ok: false, reason: `a node needs ${reason}` });
  });

  it("is so if nothing is missing, or packages can be installed that what is tried needs", async () => {
    expect(await nodeSupport(aMachine())).toEqual({ ok: true });
    const bare = aMachine({ missing: ["util-linux"], canInstall: true, has: () => false, refused: ["tmpfs"] });
    expect(await nodeSupport(bare)).toEqual({ ok: true });
  });
});

it("where no node may run, each test on a node is skipped with the reason, and none fails", () => {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-e2e-off-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "report.json");
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const args = ["run", "--root", root, "--project", "e2e", "--reporter=json", `--outputFile.json=${file}`];
  const { status } = spawnSync(process.execPath, [vitest, ...args], { env: { ...process.env, BELLHOP_E2E: "off" } });
  const { passed, failed, skipped } = countOf(JSON.parse(readFileSync(file, "utf8")) as Report);
  expect({ status, passed, failed }).toEqual({ status: 0, passed: 0, failed: 0 });
  expect(skipped.length).toBeGreaterThan(0);
  expect(skipped.filter((line) => !line.endsWith(": BELLHOP_E2E is off"))).toEqual([]);
});
