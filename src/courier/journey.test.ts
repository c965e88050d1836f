import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { defaultProtectedPaths } from "../api/agent-profile.ts";
import type { SandboxSpec } from "../sandbox/protocol/sandbox-spec.ts";
import { aSandbox, closeSandboxes, ended, sh, type TestSandbox } from "./testing.ts";

afterEach(closeSandboxes);

const base = `
mkdir -p src bin
printf 'hello\\n' >src/login.ts
printf '#!/bin/sh\\necho hi\\n' >bin/run && chmod +x bin/run
ln -s src/login.ts link
printf 'node_modules/\\n*.log\\n!keep.log\\n' >.gitignore`;

const branch = "refs/heads/bellhop/42-fix-login";

async function journey(script: string, options: Parameters<typeof aSandbox>[0] = {}): Promise<TestSandbox> {
  const sandbox = await aSandbox({ base, ...options });
  await sandbox.checkout();
  sandbox.agent(["/bin/sh", "-c", script]);
  await sandbox.run();
  return sandbox;
}

describe("a sandbox's journey", { timeout: 60_000 }, () => {
  it("publishes the agent's changes with our author, its summary and our trailers", async () => {
    const sandbox = await journey(`
      echo '{"type":"progress","text":"reading"}' >>$BELLHOP_OUT/events.jsonl
      cat >prompt-seen; rm prompt-seen
      echo changed >src/login.ts; chmod -x bin/run; rm link; mkdir node_modules; echo x >node_modules/a; echo l >a.log; echo k >keep.log
      printf '%s\\n' '{"type":"result","summary":"Fixed it, thanks @ana. Closes #12\\n\\nSigned-off-by: Mallory <m@example.com>"}' >>$BELLHOP_OUT/events.jsonl`);
    const outcome = sandbox.outcome();
    expect(outcome).toMatchObject({
      version: 1,
      attempt: 1,
      reason: "Published",
      branch: "bellhop/42-fix-login",
      notProbed: ["cluster DNS"],
    });
    expect(sh(sandbox.origin, `git rev-parse ${branch}`).trim()).toBe(outcome.commit);
    expect(sh(sandbox.origin, `git diff --name-status ${branch}^ ${branch}`).trim().split("\n")).toEqual([
      "M\tbin/run",
      "A\tkeep.log",
      "D\tlink",
      "M\tsrc/login.ts",
    ]);
    expect(sh(sandbox.origin, `git log -1 --format=%an:%cn:%aI ${branch}`)).toContain(
      "bellhop[bot]:bellhop[bot]:2026-02-03T04:05:06",
    );
    expect(
      sh(sandbox.origin, `git log -1 --format=%B ${branch} | git interpret-trailers --parse`).trim().split("\n"),
    ).toEqual(["Co-authored-by: Ana <ana@example.com>", "skip-checks: true"]);
    expect(sh(sandbox.origin, `git log -1 --format=%B ${branch}`)).not.toMatch(/@ana|#12|Signed-off-by:/);
    expect(sandbox.testBroker.events.map(({ type }) => type)).toEqual(["progress", "result"]);
    expect(sandbox.testBroker.proposals.at(-1)).toMatchObject({ files: 4, ref: branch, attempt: 1 });
    expect(existsSync(path.join(sandbox.places.in, "release"))).toBe(true);
  });

  it("reports NoChanges and pushes nothing if the tree equals the base", async () => {
    const sandbox = await journey("echo x >src/new; rm src/new; touch src/login.ts");
    expect(sandbox.outcome()).toMatchObject({ reason: "NoChanges" });
    expect(sandbox.testBroker.proposals).toEqual([]);
  });

  it("publishes the first commit of an empty repository", async () => {
    const sandbox = await aSandbox();
    await sandbox.checkout();
    sandbox.agent(["/bin/sh", "-c", "git status >/dev/null && echo first >readme.md"]);
    expect(await sandbox.run()).toMatchObject({ reason: "Published" });
    expect(sh(sandbox.origin, `git log --format=%P ${branch} | wc -w; git show ${branch}:readme.md`)).toMatch(
      /0\s+first/,
    );
  });

  it("gives the agent a clone in which log, status, diff, commit and fetch work, and push does not", async () => {
    const sandbox = await journey(`
      set -e
      git log --oneline | grep -q base
      test -z "$(git status --porcelain)"
      test "$(git rev-parse --abbrev-ref HEAD)" = bellhop/42-fix-login
      git rev-parse -q --verify origin/main
      git fetch -q origin
      echo more >>src/login.ts; git commit -qam mine
      if git push -q origin HEAD:refs/heads/stolen; then exit 9; fi`);
    expect(sandbox.outcome()).toMatchObject({ reason: "Published" });
    // The agent's own commits have no effect: the courier writes one commit on the base.
    expect(sh(sandbox.origin, `git rev-list --count ${branch}; git branch`)).toMatch(/^2\n/);
  });

  it("publishes nothing after an exit code other than 0, and reports the code and the end of the output", async () => {
    const sandbox = await journey("echo changed >src/login.ts; echo could not find the tests >&2; exit 3");
    expect(sandbox.outcome()).toMatchObject({ reason: "AgentFailed", exitCode: 3 });
    expect(sandbox.outcome().message).toContain("could not find the tests");
    expect(sandbox.testBroker.pushes).toEqual([]);
  });

  it("does not report the agent's capability, even if the agent printed it last", async () => {
    const sandbox = await journey(`git config --get-regexp 'http.*extraheader'; exit 1`);
    expect(sandbox.outcome().message).toContain("Authorization: Bearer [redacted]");
  });

  it("refuses a workflow file in any letter case, and names it", async () => {
    const sandbox = await journey("mkdir -p .GitHub/Workflows; echo x >.GitHub/Workflows/Evil.yml");
    expect(sandbox.outcome()).toMatchObject({ reason: "OutputRefused" });
    expect(sandbox.outcome().message).toContain(".GitHub/Workflows/Evil.yml");
    expect(sandbox.testBroker.proposals.at(-1)?.protectedPaths).toEqual([".GitHub/Workflows/Evil.yml"]);
    expect(sandbox.testBroker.pushes).toEqual([]);
  });

  it.each([
    {
      name: "a workflow with a line end in its name",
      script: `mkdir -p .github/workflows; echo x >'.github/workflows/a\nb.yml'`,
    },
    {
      name: "a link in place of a protected folder",
      script: "mkdir tools; echo {} >tools/settings.json; ln -s tools .claude",
    },
    {
      name: "a link in place of a parent of a protected folder",
      script: "mkdir -p x/workflows; echo x >x/workflows/a.yml; ln -s x .github",
    },
  ])("refuses $name", async ({ script }) => {
    const sandbox = await journey(script, {
      change: (spec) => ({ ...spec, output: { ...spec.output, protectedPaths: defaultProtectedPaths } }),
    });
    expect(sandbox.outcome()).toMatchObject({ reason: "OutputRefused" });
    expect(sandbox.testBroker.pushes).toEqual([]);
  });

  it("refuses more new content than allowed without storing it", async () => {
    const sandbox = await journey("dd if=/dev/zero of=big bs=1048576 count=3 2>/dev/null");
    expect(sandbox.outcome()).toMatchObject({ reason: "OutputRefused" });
    expect(sandbox.outcome().message).toContain("1024 KiB");
  });

  it("ends an agent that exceeds its wall clock limit", async () => {
    const sandbox = await journey("echo changed >src/login.ts; sleep 600", {
      change: (spec) => ({ ...spec, limits: { ...spec.limits, wallClockMs: 1500 } }),
    });
    expect(sandbox.outcome()).toMatchObject({ reason: "WallClockExceeded" });
    expect(sandbox.testBroker.pushes).toEqual([]);
  });

  it("counts the time of an agent that removes the files which show that it runs", async () => {
    const sandbox = await aSandbox({
      base,
      change: (spec) => ({ ...spec, limits: { ...spec.limits, wallClockMs: 1500 } }),
    });
    await sandbox.checkout();
    const output = path.join(sandbox.places.out, "output.log");
    sandbox.agent(["/bin/sh", "-c", `while ! rm "$BELLHOP_OUT/output.log"; do :; done; echo >gone; sleep 600`]);
    await expect.poll(() => existsSync(path.join(sandbox.places.workspace, "gone"))).toBe(true);
    expect(existsSync(output)).toBe(false);
    expect(await sandbox.run()).toMatchObject({ reason: "WallClockExceeded" });
  });

  it("ends a silent agent, but not one that only writes files", async () => {
    const stallsAfter = (stallMs: number) => (spec: SandboxSpec) => ({ ...spec, limits: { ...spec.limits, stallMs } });
    const silent = await journey("sleep 600", { change: stallsAfter(1_500) });
    expect(silent.outcome()).toMatchObject({ reason: "AgentStalled" });
    // Its pauses are a fiftieth of the limit, so that a busy machine does not make it look silent.
    const writes =
      "end=$(($(date +%s) + 7)); while [ $(date +%s) -lt $end ]; do date +%N >src/login.ts; sleep 0.1; done";
    const writing = await journey(writes, { change: stallsAfter(5_000) });
    expect(writing.outcome()).toMatchObject({ reason: "Published" });
  });

  it("stops if the operator wants the attempt to end", async () => {
    const sandbox = await aSandbox({ base });
    await sandbox.checkout();
    sandbox.testBroker.decide = () => ({ stop: true });
    const agent = sandbox.agent(["/bin/sh", "-c", "trap '' TERM; sleep 600 & sleep 600"]);
    expect(await sandbox.run()).toMatchObject({ reason: "Stopped" });
    await ended(agent);
  });

  it("reports the operator's refusal", async () => {
    const sandbox = await aSandbox({ base });
    await sandbox.checkout();
    sandbox.testBroker.decide = (proposed) => ({
      stop: false,
      ...(proposed ? { refused: { reason: "PublishRefused", message: "the pull request was closed" } } : {}),
    });
    sandbox.agent(["/bin/sh", "-c", "echo x >new"]);
    expect(await sandbox.run()).toMatchObject({ reason: "PublishRefused", message: "the pull request was closed" });
  });

  it("does not move an existing branch if it was to create one", async () => {
    const sandbox = await aSandbox({ base });
    await sandbox.checkout();
    sh(sandbox.origin, `git update-ref ${branch} main`);
    sandbox.agent(["/bin/sh", "-c", "echo x >new"]);
    expect(await sandbox.run()).toMatchObject({ reason: "PublishRefused" });
    expect(sh(sandbox.origin, `git rev-parse ${branch}`)).toBe(sh(sandbox.origin, "git rev-parse main"));
  });

  it("continues after the broker was unavailable during the run, and after its capability expired", async () => {
    const sandbox = await aSandbox({ base });
    await sandbox.checkout();
    sandbox.testBroker.away = true;
    sandbox.agent(["/bin/sh", "-c", `echo '{"type":"message","text":"hi"}' >$BELLHOP_OUT/events.jsonl; echo x >new`]);
    const running = sandbox.run();
    await expect.poll(() => existsSync(path.join(sandbox.places.out, "stopped"))).toBe(true);
    sandbox.testBroker.expire();
    sandbox.testBroker.away = false;
    expect(await running).toMatchObject({ reason: "Published" });
    expect(sandbox.testBroker.events).toEqual([{ type: "message", text: "hi" }]);
  });

  it("writes the same commit if it is started again, and the same outcome if it had ended", async () => {
    const sandbox = await aSandbox({ base });
    await sandbox.checkout();
    sandbox.agent(["/bin/sh", "-c", `echo x >new; echo '{"type":"result","summary":"s"}' >$BELLHOP_OUT/events.jsonl`]);
    const first = await sandbox.run();
    const stateFile = path.join(sandbox.places.courier, "state.json");
    const state: unknown = JSON.parse(readFileSync(stateFile, "utf8"));
    writeFileSync(stateFile, JSON.stringify({ ...(state as object), outcome: undefined }));
    expect(await sandbox.run()).toEqual(first);
    expect(sandbox.testBroker.proposals).toHaveLength(2);
    expect(await sandbox.run()).toEqual(first);
    expect(sandbox.testBroker.proposals).toHaveLength(2);
  });

  it("publishes nothing if the pod is asked to end before the agent has ended", async () => {
    const sandbox = await aSandbox({ base });
    await sandbox.checkout();
    const agent = sandbox.agent(["/bin/sh", "-c", "echo x >new; sleep 600"]);
    const running = sandbox.run();
    await expect.poll(() => existsSync(path.join(sandbox.places.workspace, "new"))).toBe(true);
    agent.kill("SIGTERM");
    expect(await running).toMatchObject({ reason: "Stopped" });
    expect(sandbox.testBroker.pushes).toEqual([]);
  });
});
