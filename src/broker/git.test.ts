import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startGitHub, type GitHubStandIn } from "../../test/providers/github/index.ts";
import { AgentTaskKind, type AgentTask } from "../api/kinds.ts";
import { secrets } from "../kube/resources.ts";
import { createFakeClient, type FakeClient } from "../kube/testing.ts";
import { aBroker, aRunningTask, capability, credentials, runGit, type GitRun, type RunningBroker } from "./testing.ts";

const ref = "refs/heads/bellhop/1-fix";
const maxPushBytes = 3_000_000;
let github: GitHubStandIn;
let client: FakeClient;
let broker: RunningBroker;
let folder: string;
let repositoryId: string;
let tokens: { fetch: string; push: string };

beforeAll(async () => {
  github = await startGitHub();
  const { people } = github;
  await people.createUser({ login: "ana" });
  await people.createOrg({ login: "acme", members: { ana: "admin" } });
  await people.createRepo({ repo: "acme/shop", files: { "README.md": "# Shop\n" } });
  await people.createApp({ slug: "bellhop", owner: "acme" });
  const { id: installation } = await people.installApp({ app: "bellhop", on: "acme" });
  const token = (contents: "read" | "write") =>
    people.createInstallationToken({ installation, permissions: { contents }, repositories: ["shop"] });
  tokens = { fetch: await token("read"), push: await token("write") };
});
afterAll(async () => {
  await github?.close();
});

beforeEach(async () => {
  client = createFakeClient();
  folder = mkdtempSync(join(tmpdir(), "bellhop-git-test-"));
  repositoryId = "7001";
  broker = await aBroker({ client, github, maxPushBytes });
  seedTask();
  return async () => {
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  };
});

/** Stores what the operator writes: the task, with `status.publish` if given, and its tokens. */
function seedTask(over: Parameters<typeof aRunningTask>[0] = {}, cloneURL = `${github.url}/acme/shop.git`): AgentTask {
  const repository = { id: repositoryId, host: "127.0.0.1", owner: "acme", name: "shop" };
  const task = aRunningTask({ ...over, spec: { repository, ...over.spec } });
  const secret = credentials("uid-shop-abc", {
    fetch: { username: "x-access-token", password: tokens.fetch, cloneURL },
    push: { username: "x-access-token", password: tokens.push, cloneURL },
  });
  client.seed(secrets, secret);
  return client.seed(AgentTaskKind, task);
}

const url = (id = repositoryId): string => `${broker.url}/git/${id}`;
const courier = (): string => capability();
const agent = (): string => capability({ scope: "agent" });

async function clone(bearer = courier()): Promise<GitRun> {
  return runGit(["clone", "--quiet", url(), "work"], { cwd: folder, broker, bearer });
}

async function commit(name = "fix.txt", content: string | Buffer = "fixed\n"): Promise<string> {
  const cwd = join(folder, "work");
  writeFileSync(join(cwd, name), content);
  await runGit(["add", "."], { cwd });
  await runGit(["commit", "--quiet", "-m", "Fix"], { cwd });
  return (await runGit(["rev-parse", "HEAD"], { cwd })).out.trim();
}

function push(given: { bearer?: string; to?: string; args?: string[]; config?: Record<string, string> } = {}) {
  const { bearer = courier(), to = ref, args = [], config = {} } = given;
  return runGit(["push", ...args, url(), `HEAD:${to}`], { cwd: join(folder, "work"), broker, bearer, config });
}

async function branchAt(name = ref): Promise<string | undefined> {
  const { code, out } = await runGit(["rev-parse", "--verify", name], { cwd: github.gitDir("acme/shop") });
  return code === 0 ? out.trim() : undefined;
}

async function allowPush(newId: string): Promise<void> {
  seedTask({ status: { publish: { ref, newId } } });
}

describe("fetching through the broker", { timeout: 60_000 }, () => {
  it("clones with the capability of a courier or an agent, and uses a read-only token", async () => {
    expect(await clone()).toMatchObject({ code: 0 });
    const again = await runGit(["ls-remote", url()], { cwd: folder, broker, bearer: agent() });
    expect(again.out).toContain("refs/heads/main");
    expect(github.gitCalls.at(-1)?.permissions).toEqual({ contents: "read" });
  });

  it("also accepts the capability as the password of a URL, as from a credential helper", async () => {
    const basic = Buffer.from(`x:${agent()}`).toString("base64");
    const config = { "http.extraHeader": `Authorization: Basic ${basic}` };
    expect((await runGit(["ls-remote", url()], { cwd: folder, broker, config })).code).toBe(0);
  });

  it("forwards a compressed request unchanged", async () => {
    const head = await branchAt("refs/heads/main");
    const packet = (text: string): string => (text.length + 4).toString(16).padStart(4, "0") + text;
    const wants = `${packet("command=fetch")}0001${packet("no-progress")}${packet(`want ${head}\n`)}${packet("done\n")}0000`;
    const answer = await broker.call("POST", `/git/${repositoryId}/git-upload-pack`, {
      bearer: courier(),
      body: gzipSync(wants),
      headers: {
        "content-type": "application/x-git-upload-pack-request",
        "content-encoding": "gzip",
        "git-protocol": "version=2",
      },
    });
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining("PACK") as string });
  });

  it("does not follow a redirect, and answers that the repository has moved", async () => {
    let asked = 0;
    const elsewhere = createServer((_request, response) => {
      asked += 1;
      response.end("stolen");
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const { port } = elsewhere.address() as AddressInfo;
    const location = `http://127.0.0.1:${port}/`;
    const moved = github.fail({ path: /info\/refs/ }, { kind: "answer", status: 301, headers: { location } });
    const answer = await broker.call("GET", `/git/${repositoryId}/info/refs?service=git-upload-pack`, {
      bearer: courier(),
    });
    moved.stop();
    elsewhere.close();
    expect(answer).toMatchObject({ status: 502, code: "RepositoryMoved" });
    expect(asked).toBe(0);
  });

  it("reports that the code host refuses the credential, and asks the client for no password", async () => {
    const secret = credentials("uid-shop-abc", {
      fetch: { username: "x-access-token", password: "ghs_gone", cloneURL: `${github.url}/acme/shop.git` },
    });
    client.seed(secrets, secret);
    const answer = await broker.call("GET", `/git/${repositoryId}/info/refs?service=git-upload-pack`, {
      bearer: courier(),
    });
    expect(answer).toMatchObject({ status: 502, code: "CredentialRefused" });
    expect(answer.headers["www-authenticate"]).toBeUndefined();
    expect(answer.text).not.toContain("ghs_gone");
  });

  it("reports that the code host does not answer, without a credential in the answer", async () => {
    const cut = github.fail({ path: /info\/refs/ }, { kind: "reset" });
    const answer = await broker.call("GET", `/git/${repositoryId}/info/refs?service=git-upload-pack`, {
      bearer: courier(),
    });
    cut.stop();
    expect(answer).toMatchObject({ status: 502, code: "HostUnreachable" });
    expect(answer.text).not.toContain(tokens.fetch);
  });
});

describe("pushing through the broker", { timeout: 60_000 }, () => {
  it("forwards exactly the push that the operator allowed, with the token that may write", async () => {
    await clone();
    const id = await commit();
    await allowPush(id);
    expect(await push({ args: [`--force-with-lease=${ref}:`] })).toMatchObject({ code: 0 });
    expect(await branchAt()).toBe(id);
    expect(github.gitCalls.at(-1)?.permissions).toEqual({ contents: "write" });
    await runGit(["update-ref", "-d", ref], { cwd: github.gitDir("acme/shop") });
  });

  it("forwards a large push, which git sends in chunks after a probe", async () => {
    await clone();
    const id = await commit("large.bin", randomBytes(1_500_000));
    await allowPush(id);
    expect(await push({ config: { "http.postBuffer": "65536" } })).toMatchObject({ code: 0 });
    expect(await branchAt()).toBe(id);
    await runGit(["update-ref", "-d", ref], { cwd: github.gitDir("acme/shop") });
  });

  it("forwards a push from a shallow clone", async () => {
    const args = ["clone", "--quiet", "--depth=1", url(), "work"];
    await runGit(args, { cwd: folder, broker, bearer: courier() });
    const id = await commit();
    await allowPush(id);
    expect(await push()).toMatchObject({ code: 0 });
    expect(await branchAt()).toBe(id);
    await runGit(["update-ref", "-d", ref], { cwd: github.gitDir("acme/shop") });
  });

  it.each([
    {
      name: "before the operator has allowed one",
      arrange: async () => void seedTask(),
      error: /403/,
    },
    {
      name: "to another branch",
      arrange: (id: string) => allowPush(id),
      how: { to: "refs/heads/main" },
      error: /only the push of refs\/heads\/bellhop\/1-fix|403/,
    },
    { name: "of another commit", arrange: () => allowPush("b".repeat(40)), error: /403/ },
    { name: "with the agent's capability", arrange: (id: string) => allowPush(id), agent: true, error: /403/ },
    {
      name: "after the task was cancelled",
      arrange: async (id: string) =>
        void seedTask({ spec: { cancel: { by: "ana" } }, status: { publish: { ref, newId: id } } }),
      error: /409/,
    },
    {
      name: "after a person gave the command stop in the thread",
      arrange: async (id: string) =>
        void seedTask({
          status: { publish: { ref, newId: id }, requests: [{ type: "stop", by: "ana", from: "shop-stop" }] },
        }),
      error: /409/,
    },
    {
      name: "after a newer attempt has replaced this one",
      arrange: async (id: string) =>
        void seedTask({
          status: {
            publish: { ref, newId: id },
            attempts: [
              { number: 1, podName: "p1", podUID: "pod-1", reason: "NodeLost" },
              { number: 2, podName: "p2", podUID: "pod-2" },
            ],
          },
        }),
      error: /409/,
    },
  ])("refuses a push $name, and sends nothing to the code host", async ({ arrange, how, agent: byAgent, error }) => {
    await clone();
    const id = await commit();
    await arrange(id);
    const callsBefore = github.gitCalls.length;
    const { code, err } = await push({ ...how, ...(byAgent ? { bearer: agent() } : {}) });
    expect(code).not.toBe(0);
    expect(err).toMatch(error);
    expect(github.gitCalls.slice(callsBefore).filter(({ step }) => step === "exchange")).toEqual([]);
    expect(await branchAt()).toBeUndefined();
  });

  it("refuses a second command beside the allowed one", async () => {
    await clone();
    const id = await commit();
    await allowPush(id);
    const both = await runGit(["push", url(), `HEAD:${ref}`, "HEAD:refs/tags/v1"], {
      cwd: join(folder, "work"),
      broker,
      bearer: courier(),
    });
    expect(both.code).not.toBe(0);
    expect(await branchAt()).toBeUndefined();
    expect(await branchAt("refs/tags/v1")).toBeUndefined();
  });

  it("reports the allowed push and the requested one", async () => {
    await allowPush("c".repeat(40));
    const command = `${"0".repeat(40)} ${"d".repeat(40)} refs/heads/main\0 report-status`;
    const body = Buffer.from(`${(command.length + 4).toString(16).padStart(4, "0")}${command}0000PACK`);
    const answer = await broker.call("POST", `/git/${repositoryId}/git-receive-pack`, { bearer: courier(), body });
    expect(answer).toMatchObject({ status: 403, code: "WrongPush" });
    expect(answer.message).toContain(`allowed only the push of ${ref} from nothing to ${"c".repeat(40)}`);
    expect(answer.message).toContain("refs/heads/main");
  });

  it("stops an allowed push if the task is stopped before the last bytes are sent", async () => {
    await clone();
    const id = await commit();
    await allowPush(id);
    let reads = 0;
    client.before = ({ verb, plural }) => {
      // One read for the list of refs and one before the push starts; the third read comes before its last bytes.
      if (verb !== "find" || plural !== "agenttasks" || ++reads !== 3) return;
      client.before = () => undefined;
      seedTask({ spec: { cancel: { by: "ana" } }, status: { publish: { ref, newId: id } } });
    };
    const { code } = await push();
    expect(code).not.toBe(0);
    expect(reads).toBe(3);
    expect(await branchAt()).toBeUndefined();
  });

  it("stops a push that becomes too large, and does not count it as a failure of the code host", async () => {
    await clone();
    const id = await commit("huge.bin", randomBytes(maxPushBytes + 500_000));
    await allowPush(id);
    for (let tries = 0; tries < 6; tries++) {
      const { code } = await push({ config: { "http.postBuffer": "65536" } });
      expect(code).not.toBe(0);
    }
    expect(await branchAt()).toBeUndefined();
    // After five consecutive failures the broker would stop calling the code host.
    expect((await runGit(["ls-remote", url()], { cwd: folder, broker, bearer: courier() })).code).toBe(0);
  });

  it("refuses a push with a too large Content-Length, and a compressed push", async () => {
    await allowPush("c".repeat(40));
    const path = `/git/${repositoryId}/git-receive-pack`;
    const large = await broker.call("POST", path, { bearer: courier(), body: Buffer.alloc(maxPushBytes + 1) });
    expect(large).toMatchObject({ status: 413, code: "PushTooLarge" });
    const headers = { "content-encoding": "gzip" };
    const packed = await broker.call("POST", path, { bearer: courier(), body: gzipSync("0000"), headers });
    expect(packed).toMatchObject({ status: 415, code: "MalformedPush" });
  });
});

describe("the git routes", { timeout: 60_000 }, () => {
  it("allow access only to the task's repository, by its id", async () => {
    const { code, err } = await runGit(["ls-remote", url("9999")], { cwd: folder, broker, bearer: agent() });
    expect(code).not.toBe(0);
    expect(err).toContain("403");
    const answer = await broker.call("GET", "/git/9999/info/refs?service=git-upload-pack", { bearer: agent() });
    expect(answer).toMatchObject({
      code: "WrongRepository",
      message: "this sandbox may access only repository 7001, not 9999",
    });
  });

  it("answer an agent that pushes with the reason of the refusal", async () => {
    const answer = await broker.call("GET", `/git/${repositoryId}/info/refs?service=git-receive-pack`, {
      bearer: agent(),
    });
    expect(answer).toMatchObject({ status: 403, code: "CourierOnly" });
    expect(answer.message).toMatch(/committed and published for you/);
  });

  it("support no other service and no dumb protocol", async () => {
    for (const query of ["", "?service=git-upload-archive", "?service=git-upload-pack&service=git-receive-pack"]) {
      const answer = await broker.call("GET", `/git/${repositoryId}/info/refs${query}`, { bearer: courier() });
      expect(answer).toMatchObject({ status: 400, code: "UnknownService" });
    }
    const dumb = await broker.call("GET", `/git/${repositoryId}/HEAD`, { bearer: courier() });
    expect(dumb).toMatchObject({ status: 404, code: "NoRoute" });
  });

  it("ask for a retry while the operator has stored no credential", async () => {
    seedTask();
    client.seed(secrets, { ...credentials("uid-shop-abc", {}) });
    const answer = await broker.call("GET", `/git/${repositoryId}/info/refs?service=git-upload-pack`, {
      bearer: courier(),
    });
    expect(answer).toMatchObject({ status: 503, code: "NoCredential" });
    expect(answer.headers["retry-after"]).toBe("1");
  });
});
