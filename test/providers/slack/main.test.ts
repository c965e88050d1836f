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
import { failing } from "./failures.ts";

const started: ChildProcess[] = [];
const folder = mkdtempSync(join(tmpdir(), "slack-main-"));

afterEach(() => {
  for (const child of started) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

describe("the stand-in as a process", () => {
  it("prints its addresses, runs actions of people at the admin port, and ends on SIGTERM", async () => {
    const main = fileURLToPath(new URL("main.ts", import.meta.url));
    const caFile = join(folder, "ca.pem");
    const child = spawn(process.execPath, [main, "--ca-out", caFile], { stdio: ["ignore", "pipe", "inherit"] });
    started.push(child);
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    const { adminUrl, apiUrl } = JSON.parse(line) as Record<string, string>;

    const people = async (verb: string, given: object): Promise<Record<string, unknown>> => {
      const response = await fetch(`${adminUrl}/people/${verb}`, { method: "POST", body: JSON.stringify(given) });
      return (await response.json()) as Record<string, unknown>;
    };
    await people("createTeam", { domain: "acme" });
    await people("createUser", { name: "ana" });
    const app = await people("createApp", { name: "bellhop" });
    const { token, bot } = await people("installApp", { by: "ana" });
    const { id: channel } = await people("createChannel", { name: "shop", members: ["ana", "bellhop"] });
    expect(app).toMatchObject({ signingSecret: expect.any(String) });
    expect(bot).toMatch(/^U/);

    const dispatcher = new Agent({ connect: { ca: readFileSync(caFile, "utf8") } });
    const body = new URLSearchParams({ channel: String(channel), text: "hello" }).toString();
    const headers = { authorization: `Bearer ${String(token)}`, "content-type": "application/x-www-form-urlencoded" };
    const posted = await fetch(`${apiUrl}chat.postMessage`, { method: "POST", dispatcher, headers, body });
    expect(await posted.json()).toMatchObject({ ok: true });
    const shown = await fetch(`${adminUrl}/messages?channel=shop`);
    expect(await shown.json()).toMatchObject([{ text: "hello", author: "bellhop" }]);
    const failure = failing.rateLimited(1);
    const injected = JSON.stringify({ match: { method: "chat.postMessage" }, failure });
    const { id } = (await (await fetch(`${adminUrl}/fail`, { method: "POST", body: injected })).json()) as {
      id: number;
    };
    expect((await fetch(`${apiUrl}chat.postMessage`, { method: "POST", dispatcher, headers, body })).status).toBe(429);
    expect(await (await fetch(`${adminUrl}/fail?id=${id}`)).json()).toEqual({ hits: 1 });
    await fetch(`${adminUrl}/fail?id=${id}`, { method: "DELETE" });
    expect((await fetch(`${apiUrl}chat.postMessage`, { method: "POST", dispatcher, headers, body })).status).toBe(200);
    const unknown = await fetch(`${adminUrl}/fail?id=9`, { method: "DELETE" });
    expect(await unknown.json()).toMatchObject({ message: expect.stringMatching(/no failure 9/) });
    const wrong = await fetch(`${adminUrl}/people/dance`, { method: "POST" });
    expect(await wrong.json()).toMatchObject({ message: expect.stringMatching(/no action dance.*posts/) });
    await dispatcher.close();

    const gone = once(child, "exit");
    child.kill("SIGTERM");
    expect((await gone)[0]).toBe(0);
  });
});
