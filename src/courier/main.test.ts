import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, chownSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { skipWhereLacking } from "../../test/needs.ts";
import { users } from "../sandbox/protocol/layout.ts";
import { aSandbox, closeSandboxes, ended, sh, type TestSandbox, type TestUser } from "./testing.ts";

const running: ChildProcess[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill("SIGKILL");
    await ended(child);
  }
  await closeSandboxes();
});

const program = path.join(import.meta.dirname, "main.ts");

function courier({ places }: TestSandbox, command: string, user: TestUser = {}): ChildProcess {
  const child = spawn(process.execPath, [program, command], {
    stdio: ["ignore", "pipe", "pipe"],
    ...user,
    env: {
      PATH: process.env["PATH"],
      BELLHOP_IN: places.in,
      BELLHOP_OUT: places.out,
      BELLHOP_WORKSPACE: places.workspace,
      BELLHOP_COURIER: places.courier,
      BELLHOP_CONTEXT: places.context,
      BELLHOP_TOKEN_FILE: places.tokenFile,
      BELLHOP_TERMINATION_LOG: places.terminationLog,
      BELLHOP_ISOLATION: places.isolation,
    },
  });
  running.push(child);
  return child;
}

function outputOf(child: ChildProcess): { text: string } {
  const all = { text: "" };
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (all.text += chunk.toString()));
  return all;
}

describe("the courier as a process", { timeout: 90_000 }, () => {
  it("checks out, publishes, waits for SIGTERM, and prints no token", async () => {
    const sandbox = await aSandbox({ base: "echo a >file" });
    const checkout = courier(sandbox, "checkout");
    const outputs = [outputOf(checkout)];
    expect(await ended(checkout)).toBe(0);
    sandbox.agent(["/bin/sh", "-c", "echo b >file"]);
    const run = courier(sandbox, "run");
    outputs.push(outputOf(run));
    await expect.poll(() => existsSync(path.join(sandbox.places.in, "release"))).toBe(true);
    expect(run.exitCode).toBeNull();
    run.kill("SIGTERM");
    expect(await ended(run)).toBe(0);
    expect(sandbox.outcome()).toMatchObject({ reason: "Published" });
    const text = outputs.map((one) => one.text).join("");
    expect(text).toContain("the attempt has ended");
    expect(text).not.toMatch(new RegExp(`${sandbox.testBroker.token}|capability-(courier|agent)-1`));
  });

  it("writes an outcome if the commit to check out does not exist", async () => {
    const sandbox = await aSandbox({ base: "echo a >file" });
    const spec = { ...sandbox.spec, checkout: { headSHA: "0123456789".repeat(4), branch: "main" } };
    writeFileSync(path.join(sandbox.places.context, "sandbox.json"), JSON.stringify(spec));
    expect(await ended(courier(sandbox, "checkout"))).toBe(1);
    expect(sandbox.outcome()).toMatchObject({
      reason: "CheckoutFailed",
      message: expect.stringContaining("git fetch"),
    });
    expect(sh(sandbox.places.workspace, "ls -A")).toBe("");
  });

  it("prints its usage, and what is invalid in sandbox.json", async () => {
    const sandbox = await aSandbox();
    const unknown = courier(sandbox, "publish");
    const output = outputOf(unknown);
    expect(await ended(unknown)).toBe(2);
    await expect.poll(() => output.text).toContain("usage: courier checkout | courier run");
    writeFileSync(path.join(sandbox.places.context, "sandbox.json"), "{}");
    const broken = courier(sandbox, "run");
    const problem = outputOf(broken);
    expect(await ended(broken)).toBe(1);
    await expect.poll(() => problem.text).toContain("sandbox.json is invalid for this version of the courier");
  });
});

const courierUser = { uid: users.courier, gid: users.group };
const agentUser = { uid: users.agent, gid: users.group };
/** Only root can start processes of other users, and those users must be able to read this checkout. */
const noOtherUsers =
  process.getuid?.() === 0 && spawnSync(process.execPath, [program], courierUser).status === 2
    ? undefined
    : "only root can start processes of other users, and they must be able to read this checkout";

/** Gives the volumes the modes that a kubelet gives them for a pod with an `fsGroup`, and makes the termination log writable for every user. */
function forTheGroup({ root, places }: TestSandbox): void {
  chmodSync(root, 0o755);
  for (const folder of ["in", "out", "workspace", "courier", "home", "tmp"].map((name) => path.join(root, name))) {
    chownSync(folder, 0, users.group);
    chmodSync(folder, 0o2777);
  }
  writeFileSync(places.terminationLog, "");
  chmodSync(places.terminationLog, 0o666);
}

describe("a sandbox whose agent is another user than its courier", { timeout: 90_000 }, () => {
  it("lets the agent change modes and times of checked-out files, and publishes the modes", async (context) => {
    skipWhereLacking(context, noOtherUsers);
    const sandbox = await aSandbox({ base: "echo a >run.sh; echo b >same; ln -s same link; mkdir d; echo c >d/file" });
    forTheGroup(sandbox);
    expect(await ended(courier(sandbox, "checkout", agentUser))).toBe(0);
    const script = `set -e
      chmod +x run.sh; touch -d yesterday same; cp -p same copy; chmod 700 d; ln -sf d/file link
      git add -A; git commit -qm mine; git gc -q
      echo '{"type":"message","text":"all done"}' >>"$BELLHOP_OUT/events.jsonl"`;
    sandbox.agent(["/bin/sh", "-c", script], { user: agentUser });
    const run = courier(sandbox, "run", courierUser);
    await expect.poll(() => existsSync(path.join(sandbox.places.in, "release"))).toBe(true);
    run.kill("SIGTERM");
    expect(await ended(run)).toBe(0);
    const printed = readFileSync(path.join(sandbox.places.out, "output.log"), "utf8");
    expect({ printed, ...sandbox.outcome() }).toMatchObject({ printed: "", reason: "Published" });
    const modes = sh(sandbox.origin, "git ls-tree -r bellhop/42-fix-login --format='%(objectmode) %(path)'");
    expect(modes).toBe("100644 copy\n100644 d/file\n120000 link\n100755 run.sh\n100644 same\n");
    expect(sandbox.testBroker.events).toEqual([{ type: "message", text: "all done" }]);
  });
});
