import { describe, expect, it } from "vitest";
import type { Connection, RepositoryRef } from "../../src/integrations/connection.ts";
import type { Integration, Provider } from "../../src/integrations/types.ts";

/** A provider that is signed in at its stand-in, and what the suite needs from it. */
export interface Subject {
  provider: Provider;
  integration: Integration;
  connection: Connection;
  /** A repository that the integration covers. */
  repository: RepositoryRef;
  /** Opens an issue in the repository, as a person with write permission. */
  openSubject: () => Promise<number>;
  /** Signs in with a credential that the provider refuses. */
  connectWrongly: () => Promise<{ connection: Connection; secret: string }>;
  /** Makes the provider answer the next request with a server error. */
  failOnce: () => void;
}

const signal = new AbortController().signal;
const hostile =
  "@octocat fixes #1 ![x](https://evil.example/x.png) <img src=x> [x](https://evil.example) <!-- bellhop:1 -->\n/approve";

/** The tests that every provider must pass. Tests of a capability that the provider does not have pass without a check. */
export function conformance(name: string, subject: () => Subject): void {
  describe(`provider ${name}`, () => {
    it("has the name and kind of the registry, and covers only its own repository", () => {
      const { provider, integration, repository } = subject();
      expect(provider.name).toBe(name);
      expect(provider.kind).toBe(integration.kind);
      expect(provider.host(integration)).toBe(repository.host);
      expect(provider.covers(integration, repository)).toBe(true);
      expect(provider.covers(integration, { owner: "somebody", name: "else" })).toBe(false);
    });

    it("verifies no delivery without a key or with a wrong signature", () => {
      const { verify, maxBodyBytes, contentTypes } = subject().provider.webhooks;
      const delivery = { headers: { get: () => "sha256=00" }, body: Buffer.from("{}"), receivedAt: new Date() };
      expect(verify(delivery, [])).toMatchObject({ ok: false });
      expect(verify(delivery, [Buffer.from("a key that signed nothing")])).toMatchObject({ ok: false });
      expect(maxBodyBytes).toBeGreaterThan(0);
      expect(contentTypes).toContain("application/json");
    });

    it("returns an outcome and never throws for bytes that are not an event", () => {
      const { provider, repository } = subject();
      const context = { bot: undefined, host: repository.host };
      for (const body of ["", "{", "null", "[]", "{}", '"x"', "\u0000", '{"a":'.repeat(2000)]) {
        const delivery = { headers: { get: () => undefined }, body: Buffer.from(body), receivedAt: new Date() };
        expect(provider.webhooks.normalise(delivery, context).outcome).not.toBe("event");
      }
    });

    it("returns its bot account", async () => {
      const { bot, tokenScope } = await subject().connection.credentials.check(signal);
      expect(bot.id).not.toBe("");
      expect(bot.mention).not.toContain("@");
      expect(["PerTask", "Broad"]).toContain(tokenScope);
    });

    it("says what to do about a wrong credential, without the credential itself", async () => {
      const { connection, secret } = await subject().connectWrongly();
      const error = await connection.credentials.check(signal).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "Unauthorized", retryable: false });
      expect(`${(error as Error).message} ${JSON.stringify(error)}`).not.toContain(secret);
    });

    it("reports a server error of the provider as retryable", async () => {
      const { connection, failOnce } = subject();
      failOnce();
      await expect(connection.credentials.check(signal)).rejects.toMatchObject({
        code: "Unavailable",
        retryable: true,
      });
    });

    it("returns no permission for an unknown person", async () => {
      const { connection, repository } = subject();
      const found = await connection.actors?.permission(repository, { id: "1", login: "nobody" }, signal);
      expect(found?.permission ?? "None").toBe("None");
    });

    it("encodes hostile text so that nothing in it acts, within the byte limit", () => {
      const reporter = subject().connection.reporter;
      if (!reporter) return;
      const out = reporter.encode(hostile);
      const active = ["@octocat", "fixes #1", "![", "<img", "](https://evil", "<!--", "\n/approve"];
      expect(active.filter((text) => out.includes(text))).toEqual([]);
      const quoted = reporter.quote(reporter.excerpt(`@bellhop ${hostile}`, "bellhop"));
      expect(quoted).not.toMatch(/\n|@octocat|fixes #1|!\[|<img|<!--|\]\(/);
      expect(Buffer.byteLength(reporter.encode("é".repeat(500), { maxBytes: 99 }))).toBeLessThanOrEqual(99);
    });

    it("finds its own message by its marker, and no other message", async () => {
      const { connection, repository, openSubject } = subject();
      const { reporter } = connection;
      if (!reporter) return;
      const target = { repository, subjectNumber: await openSubject() };
      const since = new Date(Date.now() - 60_000);
      expect(await reporter.find(target, "task-a", since, signal)).toBeUndefined();
      const made = await reporter.create(target, `${reporter.hiddenMarker("task-a")}\nhello`, signal);
      expect(await reporter.find(target, "task-a", since, signal)).toEqual(made);
      expect(await reporter.find(target, "task-b", since, signal)).toBeUndefined();
      await reporter.update(target, made.id, `${reporter.hiddenMarker("task-a")}\nbye`, signal);
      expect(await reporter.find(target, "task-a", since, signal)).toEqual(made);
    });

    it("mints tokens that expire, and accepts a second revocation", async () => {
      const { connection, repository } = subject();
      const host = connection.codeHost;
      if (!host) return;
      const { password, expiresAt } = await host.mintToken(repository, "read", signal);
      expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
      await host.revokeToken(password, signal);
      await host.revokeToken(password, signal);
    });

    it("returns undefined for missing branches and changes, and does not throw", async () => {
      const { connection, repository } = subject();
      expect(await connection.codeHost?.branch(repository, "no/such-branch", signal)).toBeUndefined();
      expect(await connection.codeHost?.findChange(repository, "no/such-branch", signal)).toBeUndefined();
      expect((await connection.codeHost?.isBase(repository, "no/such-branch", signal)) ?? false).toBe(false);
      expect(await connection.codeHost?.change(repository, 999_999, signal)).toBeUndefined();
    });

    it("ends when its caller aborts", async () => {
      const gone = AbortSignal.abort(new Error("stopping"));
      await expect(subject().connection.credentials.check(gone)).rejects.toThrow("stopping");
    });
  });
}
