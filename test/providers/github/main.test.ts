import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Agent, fetch } from "undici";
import { afterEach, describe, expect, it } from "vitest";

const started: ChildProcess[] = [];
const state = mkdtempSync(join(tmpdir(), "stand-in-main-"));

afterEach(() => {
  for (const child of started) child.kill("SIGKILL");
  rmSync(state, { recursive: true, force: true });
});

interface Ready {
  child: ChildProcess;
  url: string;
  apiUrl: string;
  adminUrl: string;
}

/** Starts the process and reads the line that it prints. */
async function start(...flags: string[]): Promise<Ready> {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, "--state", state, ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, ...(JSON.parse(line) as Omit<Ready, "child">) };
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  expect((await gone)[0]).toBe(0);
}

async function people<T>(adminUrl: string, verb: string, given: unknown): Promise<T> {
  const response = await fetch(`${adminUrl}/people/${verb}`, { method: "POST", body: JSON.stringify(given) });
  const body = (await response.json()) as T & { message?: string };
  expect(body.message).toBeUndefined();
  return body;
}

describe("the stand-in as a process", () => {
  it("prints its addresses, runs actions of people at the admin port, and keeps the state across a restart", async () => {
    const ca = join(state, "ca.pem");
    const first = await start("--ca-out", ca);
    await people(first.adminUrl, "createUser", { login: "ana" });
    await people(first.adminUrl, "createRepo", { repo: "ana/shop", private: false, files: { a: "a" } });
    const issue = await people<{ number: number }>(first.adminUrl, "openIssue", {
      as: "ana",
      repo: "ana/shop",
      title: "One",
    });
    const dispatcher = new Agent({ connect: { ca: readFileSync(ca, "utf8") } });
    const shown = await fetch(`${first.apiUrl}/repos/ana/shop/issues/${issue.number}`, { dispatcher });
    expect(await shown.json()).toMatchObject({ title: "One", html_url: `${first.url}/ana/shop/issues/1` });
    await stop(first.child);

    const second = await start("--plain-http");
    expect(second.url).toMatch(/^http:/);
    const again = await fetch(`${second.apiUrl}/repos/ana/shop/issues/1`);
    expect(await again.json()).toMatchObject({ title: "One", user: { login: "ana" } });
    const file = await fetch(`${second.apiUrl}/repos/ana/shop/contents/a`);
    expect(await file.json()).toMatchObject({ content: "YQ==\n" });
    await stop(second.child);
    await dispatcher.close();
  });

  it("lists the actions of people in the answer to an unknown one", async () => {
    const { child, adminUrl } = await start("--plain-http");
    const response = await fetch(`${adminUrl}/people/dance`, { method: "POST" });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ message: expect.stringMatching(/no action dance.*openIssue/) });
    await stop(child);
  });
});
