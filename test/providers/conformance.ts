import { skipWhereLacking } from "../needs.ts";
import { expect, it, type TestContext } from "vitest";
import { agentTaskSpec } from "../../src/api/agent-task.ts";
import type { AgentTask } from "../../src/api/kinds.ts";
import { targetOf } from "../../src/controllers/agent-task/state.ts";
import type { RepositoryRef } from "../../src/integrations/code-host.ts";
import type { Connection, ThreadTarget } from "../../src/integrations/connection.ts";
import type { ChangeText } from "../../src/integrations/report.ts";
import type { Origin, ProviderEvent } from "../../src/integrations/event.ts";
import type { Delivery, HttpReply, NormaliseContext } from "../../src/integrations/ingress.ts";
import type { Integration } from "../../src/integrations/integration.ts";
import type { Provider } from "../../src/integrations/provider.ts";
import { buildTask } from "../../src/intake/build-task.ts";
import { defined } from "../../src/shared/defined.ts";
import { exportsOf, guide, hasFile, providerFiles } from "./files.ts";
import { aReport } from "./reports.ts";

/** A part of a connection that some providers do not have. */
export type Capability = Exclude<keyof Connection, "identity" | "authorizer" | "source">;

const reasons: Record<Capability, string> = {
  thread: "has no threads",
  codeHost: "is no code host",
  hooks: "has no hooks that an API can set",
  missed: "keeps no log of deliveries",
};

interface Person {
  id: string;
  login: string;
}

/** A provider that is signed in at its stand-in, and what the suite needs from it. `startSubject` of `test/providers/<provider>/subject.ts` starts it. */
export interface Subject {
  provider: Provider;
  integration: Integration;
  connection: Connection;
  /** The capabilities that the provider has; tests of the others are skipped, and the reason is named. */
  capabilities: readonly Capability[];
  host: string;
  contentTypes: readonly string[];
  /** A place that the integration covers, and places that it does not cover. */
  covered: Origin;
  foreign: readonly Origin[];
  /** Code hosts only: a repository that the integration covers. */
  repository?: RepositoryRef;
  /** A person who may start tasks, and one who is unknown to the provider. */
  allowed: Person;
  unknown: Person;
  /** Opens a thread as the allowed person. */
  openThread: () => Promise<ThreadTarget>;
  /** A request in the form in which people mention the bot of this name. */
  request: (mention: string, words: string) => string;
  /** A message of ours as the stand-in has it, without our marker; undefined if it does not exist. */
  shown: (target: ThreadTarget, id: string) => Promise<string | undefined>;
  judge: Judge;
  /** Asks the bot for something as the allowed person. Returns the delivery as the provider sent it, with a key that verifies it. */
  sendRequest: (words: string) => Promise<{ delivery: Delivery; key: Uint8Array }>;
  /** Deliveries that start nothing: a request that the bot itself wrote, and a message of the allowed person that does not mention the bot. */
  sendOthers: () => Promise<{ own: Delivery; unmentioned: Delivery }>;
  /** Signs in with empty caches, as a new process does. */
  connectAgain: () => Promise<Connection>;
  /** Signs in with a credential that the provider refuses. */
  connectWrongly: () => Promise<{ connection: Connection; secret: string }>;
  /** Makes the provider answer the next request with a server error. */
  failOnce: () => void;
}

/** A subject whose stand-in runs until it is closed. */
export interface RunningSubject {
  subject: Subject;
  close(): Promise<void>;
}

/**
 * How somebody reads what the provider shows, with no code of Bellhop. Each method lists what acts at the provider: notifies, links, embeds,
 * closes, commands, is hidden or exceeds a limit. Bellhop's own mentions, links and buttons are among it.
 */
export interface Judge {
  /** In each of our messages of a thread, oldest first. */
  thread(target: ThreadTarget): Promise<{ id: string; acts: string[] }[]>;
  /** Only if threads have `answer`: in the newest message that only the allowed person sees. */
  toOnePerson?(target: ThreadTarget): string[];
  /** Code hosts only: changes, and the messages of commits. */
  change?: {
    /** Opens a change of a new branch. Returns its title and body as the provider has them. */
    open(text: ChangeText): Promise<{ title: string; body: string }>;
    acts(change: { title: string; body: string }): string[];
    commit(message: string): string[];
  };
  /** Only of a provider whose ingress has answers of its own: a delivery that gets one with words, and what acts in it. */
  answer?: { to: Delivery; acts(reply: HttpReply): string[] };
}

const signal = new AbortController().signal;

/** The tests that every provider must pass. */
export function conformance(name: string, subject: () => Subject): void {
  describesItself(name, subject);
  hasItsFiles(name, subject);
  readsDeliveries(subject);
  startsTasks(subject);
  ignoresOthers(subject);
  signsIn(subject);
  authorises(subject);
  posts(subject);
  hostsCode(subject);
}

/** Skips the test, with the reason, if the provider does not have the capability. */
function needed<C extends Capability>(
  context: TestContext,
  subject: Subject,
  capability: C,
): NonNullable<Connection[C]> {
  const { connection, capabilities, provider } = subject;
  skipWhereLacking(context, capabilities.includes(capability) ? undefined : `${provider.name} ${reasons[capability]}`);
  const found = connection[capability];
  if (found) return found;
  throw new Error(`the connection of ${provider.name} lacks ${capability}, although its subject names it`);
}

function neededRepository(subject: Subject): RepositoryRef {
  if (subject.repository) return subject.repository;
  throw new Error(`the subject of the code host ${subject.provider.name} names no repository`);
}

function describesItself(name: string, subject: () => Subject): void {
  it("has the name and kind of the registry, and covers only its own places", () => {
    const { provider, integration, host, covered, foreign } = subject();
    expect(provider.name).toBe(name);
    expect(provider.kind).toBe(integration.kind);
    expect(provider.host(integration)).toBe(host);
    expect(provider.covers(integration, covered)).toBe(true);
    expect(foreign.length).toBeGreaterThan(0);
    for (const origin of foreign) expect(provider.covers(integration, origin)).toBe(false);
  });

  it("has the capabilities that its subject names, and no others", () => {
    const { connection, capabilities } = subject();
    const all = Object.keys(reasons) as Capability[];
    expect(all.filter((capability) => connection[capability] !== undefined).sort()).toEqual([...capabilities].sort());
  });
}

/** Files without a capability of their own are in every folder. */
function hasCapability({ connection, provider }: Subject, name: string): boolean {
  if (name === "install") return provider.install !== undefined;
  if (name === "socket") return provider.ingress.socket !== undefined;
  return name in reasons ? connection[name as Capability] !== undefined : true;
}

function hasItsFiles(name: string, subject: () => Subject): void {
  it.each(providerFiles())(`has $files as ${guide} names them, unless it lacks the capability`, async (row) => {
    const [capability = ""] = row.exports;
    const needed = hasCapability(subject(), capability);
    for (const file of row.files) expect(hasFile(name, file), `src/integrations/${name}/${file}`).toBe(needed);
    const [first = ""] = row.files;
    const exported = needed && row.exports.length > 0 ? await exportsOf(name, first) : [];
    expect(needed ? row.exports.filter((each) => !exported.includes(each)) : []).toEqual([]);
  });

  it("exports itself from index.ts under its name", async () => {
    expect(await exportsOf(name, "index.ts")).toEqual([name]);
  });
}

function readsDeliveries(subject: () => Subject): void {
  it("verifies no delivery without a key or with a wrong signature", () => {
    const { provider, contentTypes } = subject();
    const { verify, ...ingress } = provider.ingress;
    const delivery = { headers: { get: () => "sha256=00" }, body: Buffer.from("{}"), receivedAt: new Date() };
    expect(verify(delivery, [])).toMatchObject({ ok: false });
    expect(verify(delivery, [Buffer.from("a key that signed nothing")])).toMatchObject({ ok: false });
    expect(ingress.maxBodyBytes).toBeGreaterThan(0);
    expect(ingress.answerWithinMs).toBeGreaterThan(0);
    expect([...ingress.contentTypes].sort()).toEqual([...contentTypes].sort());
  });

  it("returns an outcome and never throws for bytes that are not an event", () => {
    const { provider, host, contentTypes } = subject();
    const context = { bot: undefined, host, isLive: () => true, offered: [] };
    const bodies = ["", "{", "null", "[]", "{}", '"x"', "\u0000", "payload=", "payload=%", "=&&", '{"a":'.repeat(2000)];
    for (const type of contentTypes) {
      const headers = { get: (header: string) => (header.toLowerCase() === "content-type" ? type : undefined) };
      for (const body of bodies) {
        const delivery = { headers, body: Buffer.from(body), receivedAt: new Date() };
        expect(provider.ingress.normalise(delivery, context).outcome, `${type} ${body}`).not.toBe("event");
      }
    }
  });
}

function startsTasks(subject: () => Subject): void {
  it("verifies what the provider sends, and not one byte more", async () => {
    const { sendRequest, provider } = subject();
    const { delivery, key } = await sendRequest("say hello");
    const { verify } = provider.ingress;
    expect(verify(delivery, [Buffer.from("a former key"), key])).toEqual({ ok: true });
    const longer = { ...delivery, body: Buffer.concat([delivery.body, Buffer.from(" ")]) };
    expect(verify(longer, [key])).toMatchObject({ ok: false });
  });

  it("makes a task of a request, and recognises its object, its author and its thread", async () => {
    const { connection, provider, allowed, sendRequest } = subject();
    const { delivery } = await sendRequest("say hello");
    const { event, task, integration } = await readRequest(subject(), delivery);
    expect(event.provider).toBe(provider.name);
    expect(provider.covers(integration, event)).toBe(true);
    expect(agentTaskSpec.safeParse(task.spec).error).toBeUndefined();
    const target = targetOf(task);
    expect(connection.thread?.has(target) ?? true).toBe(true);
    expect(await connection.source.reread(target, signal)).toMatchObject({
      found: true,
      actor: { id: allowed.id, isBot: false },
      text: event.text,
      subjectKey: task.spec.source.subject.key,
    });
  });

  it("gives a delivery the same cause each time, and another request another cause", async () => {
    const { sendRequest } = subject();
    const [first, second] = [await sendRequest("say hello"), await sendRequest("say hello")];
    const causeOf = async ({ delivery }: typeof first): Promise<string> =>
      (await readRequest(subject(), delivery)).event.cause;
    expect(await causeOf(first)).toBe(await causeOf(first));
    expect(await causeOf(first)).not.toBe(await causeOf(second));
  });
}

function ignoresOthers(subject: () => Subject): void {
  it("loses no request before the sign-in: the delivery names the bot, or is wanted again", async () => {
    const { provider, host, sendRequest } = subject();
    const { delivery } = await sendRequest("say hello");
    const context = { bot: undefined, host, isLive: () => false, offered: [] };
    const read = provider.ingress.normalise(delivery, context);
    const isKept = read.outcome === "event" || (read.outcome === "ignored" && read.again === true);
    expect(isKept, JSON.stringify(read)).toBe(true);
  });

  it("ignores its own messages, although they mention it", async () => {
    const { provider, sendOthers } = subject();
    const read = provider.ingress.normalise((await sendOthers()).own, await contextOf(subject()));
    expect(read).toMatchObject({ outcome: "ignored" });
    expect(read).not.toHaveProperty("again");
  });

  it("ignores messages that do not mention it; those of chats and trackers are not logged", async () => {
    const { provider, connection, sendOthers } = subject();
    const read = provider.ingress.normalise((await sendOthers()).unmentioned, await contextOf(subject()));
    expect(read).toMatchObject({ outcome: "ignored" });
    if (connection.codeHost) return;
    expect(read).toMatchObject({ private: true });
    for (const place of ["repository", "installationId", "channel"]) expect(read).not.toHaveProperty(place);
  });
}

async function contextOf({ connection, host }: Subject): Promise<NormaliseContext> {
  const { bot, installations } = await connection.identity.check(signal);
  return { bot, installations, host, isLive: () => false, offered: [] };
}

/** The event of a delivery that mentions the bot, and the task that intake makes of it for the integration as the operator left it. */
async function readRequest(
  subject: Subject,
  delivery: Delivery,
): Promise<{ event: ProviderEvent; task: AgentTask; integration: Integration }> {
  const context = await contextOf(subject);
  const read = subject.provider.ingress.normalise(delivery, context);
  if (read.outcome !== "event") throw new Error(`the delivery of a request is no event: ${JSON.stringify(read)}`);
  const mention = read.event.signals.find(({ kind }) => kind === "mention");
  if (mention?.kind !== "mention") throw new Error("the event of a request has no signal `mention`");
  expect(mention.words).toBe("say hello");
  const { provider } = subject;
  const { status, metadata, ...rest } = subject.integration;
  const { bot, installations = [] } = context;
  const observed = { ...status, bot, installations: [...installations] };
  const integration = { ...rest, metadata: { ...metadata, uid: "5b1f" }, status: observed };
  const [trigger] = integration.spec.triggers;
  const task = buildTask({
    integration,
    kind: provider.kind,
    event: read.event,
    decision: { result: "task", signal: mention, ...defined({ trigger }) },
    receivedAt: delivery.receivedAt,
  });
  return { event: read.event, task: task as AgentTask, integration };
}

function signsIn(subject: () => Subject): void {
  it("returns its bot account", async () => {
    const { bot, tokenScope } = await subject().connection.identity.check(signal);
    expect(bot?.id).toBeTruthy();
    expect(bot?.mention).not.toContain("@");
    expect(["PerTask", "Broad"]).toContain(tokenScope);
  });

  it("says what to do about a wrong credential, without the credential itself", async () => {
    const { connection, secret } = await subject().connectWrongly();
    const error = await connection.identity.check(signal).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "Unauthorized", retryable: false });
    expect(`${(error as Error).message} ${JSON.stringify(error)}`).not.toContain(secret);
  });

  it("reports a server error of the provider as retryable", async () => {
    const { connection, failOnce } = subject();
    failOnce();
    await expect(connection.identity.check(signal)).rejects.toMatchObject({ code: "Unavailable", retryable: true });
  });

  it("ends when its caller aborts", async () => {
    const gone = AbortSignal.abort(new Error("stopping"));
    await expect(subject().connection.identity.check(gone)).rejects.toThrow("stopping");
  });
}

function authorises(subject: () => Subject): void {
  it("lets a person start tasks who may, and refuses an unknown person with a reason", async () => {
    const { connection, allowed, unknown, openThread } = subject();
    const { source, repository } = await openThread();
    const may = (actor: Person): ReturnType<Connection["authorizer"]["may"]> =>
      connection.authorizer.may({ source, actor, repository }, signal);
    expect(await may(allowed)).toMatchObject({ allowed: true, isBot: false, login: allowed.login });
    const refused = await may(unknown);
    expect(refused).toMatchObject({ allowed: false, isBot: false });
    expect([refused.has, refused.needs]).not.toContain("");
  });

  it("returns no permission on a repository for an unknown person", async (context) => {
    const host = needed(context, subject(), "codeHost");
    const found = await host.permission(neededRepository(subject()), subject().unknown, signal);
    expect(found.permission).toBe("None");
  });
}

function posts(subject: () => Subject): void {
  it("has the thread that a task names, and reads its object again only if it exists", async () => {
    const { source, thread } = subject().connection;
    const target = await subject().openThread();
    expect(thread?.has(target) ?? true).toBe(true);
    const gone = { ...target, source: { ...target.source, object: undefined } };
    const found = await source.reread(gone, signal);
    expect(found.found || found.message !== "").toBe(true);
    expect(found.found).toBe(false);
  });

  it("gathers the conversation up to a time, and nothing of a later one", async () => {
    const { source } = subject().connection;
    const target = await subject().openThread();
    const gathered = (hours: number): ReturnType<typeof source.gather> =>
      source.gather(target, { until: new Date(Date.now() + hours * 3_600_000), budgetBytes: 100_000 }, signal);
    expect((await gathered(1)).length).toBeGreaterThan(0);
    expect(await gathered(-1)).toEqual([]);
  });

  it("finds its own message after a restart", async (context) => {
    const thread = needed(context, subject(), "thread");
    const { openThread, connectAgain } = subject();
    const target = await openThread();
    const made = await thread.post(target, aReport("hello"), "task-a", signal);
    const later = needed(context, { ...subject(), connection: await connectAgain() }, "thread");
    expect(await later.find(target, "task-a", new Date(Date.now() - 60_000), signal)).toEqual(made);
  });

  it("keeps a summary within its byte limit", async (context) => {
    const thread = needed(context, subject(), "thread");
    const { openThread, shown } = subject();
    const target = await openThread();
    const made = await thread.post(target, aReport({ summary: "é".repeat(500), maxBytes: 99 }), "task-a", signal);
    const text = (await shown(target, made.id)) ?? "";
    expect(text).toContain("éé");
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(99);
  });

  it("finds and updates its own message by its marker, and no other message", async (context) => {
    const thread = needed(context, subject(), "thread");
    const { openThread, shown } = subject();
    const target = await openThread();
    const since = new Date(Date.now() - 60_000);
    expect(await thread.find(target, "task-a", since, signal)).toBeUndefined();
    const made = await thread.post(target, aReport("hello"), "task-a", signal);
    expect(await shown(target, made.id)).toContain("hello");
    expect(await thread.find(target, "task-a", since, signal)).toEqual(made);
    expect(await thread.find(target, "task-b", since, signal)).toBeUndefined();
    await thread.update(target, { id: made.id, marker: "task-a" }, aReport("bye"), signal);
    expect(await shown(target, made.id)).toContain("bye");
    expect(await shown(target, made.id)).not.toContain("hello");
    expect(await thread.find(target, "task-a", since, signal)).toEqual(made);
  });
}

function hostsCode(subject: () => Subject): void {
  it("mints tokens that expire, and accepts a second revocation", async (context) => {
    const host = needed(context, subject(), "codeHost");
    const { password, expiresAt } = await host.mintToken(neededRepository(subject()), "read", signal);
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
    await host.revokeToken(password, signal);
    await host.revokeToken(password, signal);
  });

  it("returns undefined for missing branches and changes, and does not throw", async (context) => {
    const host = needed(context, subject(), "codeHost");
    const repository = neededRepository(subject());
    expect(await host.branch(repository, "no/such-branch", signal)).toBeUndefined();
    expect(await host.findChange(repository, "no/such-branch", signal)).toBeUndefined();
    expect(await host.isBase(repository, "no/such-branch", signal)).toBe(false);
    expect(await host.change(repository, 999_999, signal)).toBeUndefined();
  });

  it("finds a covered repository by its name, and no other repository", async (context) => {
    const host = needed(context, subject(), "codeHost");
    const { id, owner, name } = neededRepository(subject());
    expect(await host.repositoryNamed(`${owner}/${name}`, signal)).toMatchObject({ id, owner, name });
    expect(await host.repositoryNamed(`${owner}/no-such-repository`, signal)).toBeUndefined();
    expect(await host.repositoryNamed("somebody/else", signal)).toBeUndefined();
    expect(await host.repositoryNames({ limit: 100, publicOnly: false }, signal)).toContain(`${owner}/${name}`);
    expect(await host.repositoryNames({ limit: 0, publicOnly: false }, signal)).toEqual([]);
  });

  it("does not change the body of a change that has no parts of ours", (context) => {
    const host = needed(context, subject(), "codeHost");
    expect(host.bodyWith("Somebody wrote this.", { newest: ["new"], checks: ["held"] })).toBeUndefined();
  });
}
