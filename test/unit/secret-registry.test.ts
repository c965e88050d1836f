import { describe, expect, it } from "vitest";
import { taskCredential } from "../../src/broker/forward.ts";
import { createTaskCredentials } from "../../src/controllers/agent-task/broker-secrets.ts";
import { aTask } from "../../src/controllers/agent-task/testing.ts";
import { newHookSecret, readHookSecret } from "../../src/controllers/integration/hook-secret.ts";
import { secretReader } from "../../src/controllers/secrets.ts";
import { KeyRing, type KeysSecret } from "../../src/gateway/keys.ts";
import { providerError } from "../../src/integrations/github/failures.ts";
import { encodeGatewayKeys } from "../../src/intake/gateway-keys.ts";
import { anEntry, route } from "../../src/intake/testing.ts";
import { fakeHost } from "../../src/integrations/testing.ts";
import { errorFromAnswer } from "../../src/kube/errors.ts";
import { secrets } from "../../src/kube/resources.ts";
import { createFakeClient, type FakeClient } from "../../src/kube/testing.ts";
import { FakeClock } from "../../src/shared/fake-clock.ts";
import { createLogger, silentLogger } from "../../src/shared/log.ts";

const signal = new AbortController().signal;
const noon = new Date("2026-03-01T12:00:00Z");
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A client of an API server with this Secret. */
function having(name: string, data: Record<string, string>): FakeClient {
  const client = createFakeClient();
  const metadata = {
    namespace: "team",
    name,
    annotations: { "bellhop.dev/allowed-for": "GitHubIntegration/github.com" },
  };
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)]));
  client.seed(secrets, { metadata, data: encoded });
  return client;
}

/** Every source of a process's secrets, each with a different value that does not look like a token. */
const sources: [string, () => Promise<string>][] = [
  [
    "a Secret that an integration names",
    async () => {
      const read = secretReader(having("bot", { token: "a secret/of the team\n" }), "team");
      return Buffer.from(
        await read({ name: "bot", key: "token" }, { kind: "GitHubIntegration", host: "github.com" }),
      ).toString();
    },
  ],
  ["a webhook key that was just created", async () => newHookSecret(noon).current],
  [
    "a webhook key that was stored",
    async () => {
      const client = having("hook", { route, current: "a stored/webhook key" });
      return (await readHookSecret({ client, namespace: "team" }, "hook"))?.current ?? "";
    },
  ],
  [
    "the previous webhook key",
    async () => {
      const client = having("hook", { route, current: "its successor/key", previous: "a rotated/webhook key" });
      return (await readHookSecret({ client, namespace: "team" }, "hook"))?.previous ?? "";
    },
  ],
  [
    "a key that was published to the gateway",
    async () => {
      const key = "a published/webhook key";
      const data = encodeGatewayKeys({ generation: 1, routes: new Map([[route, anEntry({ keys: [base64(key)] })]]) });
      const metadata = { name: "keys", namespace: "bellhop", uid: "u", resourceVersion: "1" };
      const informer = {
        onChange: (listener: (change: { current: KeysSecret }) => void) => (
          listener({ current: { metadata, data } }),
          () => {}
        ),
      };
      const keyRing = new KeyRing({
        client: createFakeClient(),
        informer,
        secret: metadata,
        clock: new FakeClock(),
        log: silentLogger,
      });
      return keyRing.generation === 1 ? key : "";
    },
  ],
  [
    "a task's token in the broker",
    async () => {
      const credential = {
        username: "x",
        password: "a broker's/token",
        expiresAt: "",
        cloneURL: "https://github.com/a/b",
      };
      const client = having("task-1", { "fetch.json": JSON.stringify(credential) });
      return (await taskCredential({ client, namespace: "team" }, "1", "fetch", signal)).password;
    },
  ],
  [
    "a task's token that the operator reads to revoke it",
    async () => {
      const password = "an operator's/token";
      const kube = having("task-uid-shop-abc", { "fetch.json": JSON.stringify({ username: "x", password }) });
      const keeper = createTaskCredentials({
        kube,
        brokerNamespace: "team",
        clock: new FakeClock(),
        log: silentLogger,
      });
      await keeper.revoke(aTask(), fakeHost().host, signal);
      return password;
    },
  ],
];

describe("a server that echoes a secret", () => {
  it.each(sources)("does not bring %s into a log line or an error", async (_name, given) => {
    const value = await given();
    const echo = `you sent ${value}, ${base64(value)}, ${encodeURIComponent(value)} and ${JSON.stringify(value)}`;
    const lines: string[] = [];
    createLogger("test", { write: (line) => lines.push(line) }).info({ echo, deep: [{ echo }] }, echo);
    const answer = Object.assign(new Error("HttpError"), { response: { status: 422, data: { message: echo } } });
    const attempted = { doing: "read it", host: "github.com", signIn: "app", now: noon } as const;
    const outputs = [
      ...lines,
      errorFromAnswer("get it", 403, { message: echo, reason: "Forbidden" }).message,
      providerError(answer, attempted).message,
    ];
    for (const text of outputs) {
      expect(text).toContain("you sent [redacted]");
      for (const form of [value, base64(value), encodeURIComponent(value)]) expect(text).not.toContain(form);
    }
  });

  it("never breaks the format of a log line", async () => {
    const read = secretReader(having("bot", { token: `"message":"` }), "team");
    await read({ name: "bot", key: "token" }, { kind: "GitHubIntegration", host: "github.com" });
    const lines: string[] = [];
    createLogger("test", { level: "info", write: (line) => lines.push(line) }).info({ echo: `x"message":"x` }, "heard");
    expect(lines[0]).toMatch(/\n$/);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "info", echo: "x[redacted]x", message: "heard" });
  });
});
