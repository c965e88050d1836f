import { expect, it } from "vitest";
import { changeText, checksRunning } from "../../src/controllers/agent-task/publish/change-text.ts";
import { sandboxSpecOf } from "../../src/controllers/agent-task/spec.ts";
import { aProfile, aTask, shaOf } from "../../src/controllers/agent-task/testing.ts";
import type { AgentTask } from "../../src/api/kinds.ts";
import type { Subject } from "./conformance.ts";
import { places } from "./hostile-places.ts";
import { harmlessText, hostileTexts } from "./hostile-text.ts";

const signal = new AbortController().signal;

/**
 * Shows every hostile text in every place, and lets the provider's judge read the result. Mentions, links and buttons that are there with a
 * harmless text too are Bellhop's own: with a hostile text nothing else may act.
 */
export function showsHostileText(subject: () => Subject): void {
  let own: Promise<Acts> | undefined;
  it.each(hostileTexts)("lets nothing act, wherever it is shown: $name", async ({ text }) => {
    own ??= shown(subject(), harmlessText);
    const [found, ours] = [await shown(subject(), text), await own];
    const acts = Object.entries(found).flatMap(([part, all]) =>
      without(all, ours[part] ?? []).map((act) => `${part}: ${act}`),
    );
    const list = [...new Set(acts)].join("\n");
    expect(list, list).toBe("");
  });

  it.each(hostileTexts)("is one line of at most 80 characters in an excerpt: $name", ({ text }) => {
    const { connection, request, integration } = subject();
    const mention = integration.status?.bot?.mention ?? "bellhop";
    const excerpt = connection.thread?.excerpt(request(mention, text), mention) ?? "";
    expect(Array.from(excerpt).length).toBeLessThanOrEqual(80);
    expect(excerpt).not.toMatch(/[\n\r\u2028\u2029]/);
  });
}

/** The acts in everything that the provider shows. Throws if its judge cannot read a part of it. */
async function shown(subject: Subject, text: string): Promise<Acts> {
  const { provider, judge, capabilities, connection } = subject;
  if (capabilities.includes("codeHost") && !judge.change)
    throw new Error(`the judge of ${provider.name} cannot read changes`);
  if (connection.thread?.answer && !judge.toOnePerson)
    throw new Error(`the judge of ${provider.name} cannot read messages to one person`);
  if (provider.ingress.reply && !judge.answer) throw new Error(`the judge of ${provider.name} cannot read its answers`);
  return {
    ...(await posted(subject, text)),
    "to one person": await toOnePerson(subject, text),
    ...(await changed(subject, text)),
    commit: committed(subject, text),
    ...answered(subject, text),
  };
}

/** Acts, by the part that shows them. */
type Acts = Readonly<Record<string, readonly string[]>>;

/** The acts in the answers to a delivery. */
function answered({ provider, judge: { answer } }: Subject, message: string): Acts {
  const statuses = ["accepted", "ignored", "refused"] as const;
  return Object.fromEntries(
    statuses.map((status) => {
      const body = { status, reason: "NotMatched", message };
      const reply = answer && provider.ingress.reply?.({ status: status === "accepted" ? 202 : 200, body }, answer.to);
      return [status, reply ? (answer?.acts(reply) ?? []) : []];
    }),
  );
}

/** The acts in the reports of every place, in one thread. Those with the text in the first line are concluded as well. */
async function posted({ connection, judge, openThread, request, integration }: Subject, text: string): Promise<Acts> {
  const { thread } = connection;
  if (!thread) return {};
  const target = await openThread();
  const mention = integration.status?.bot?.mention;
  const excerpt = (words: string): string => thread.excerpt(request(mention ?? "bellhop", words), mention);
  const names = new Map<string, string>();
  const lost: [string, string[]][] = [];
  for (const { name, report: reportOf, isHeadline } of places) {
    const report = { ...reportOf(text, { integration, excerpt }), over: false };
    try {
      const { id } = await thread.post(target, report, name, signal);
      names.set(id, name);
      if (isHeadline) await thread.update(target, { id, marker: name }, { ...report, over: true }, signal);
    } catch (error) {
      lost.push([name, [`not shown: ${String(error)}`]]);
    }
  }
  const messages = await judge.thread(target);
  const replies = messages.filter(({ id }) => !names.has(id)).flatMap(({ acts }) => acts);
  const shown = messages.map(({ id, acts }): [string, string[]] => [names.get(id) ?? "", acts]);
  return { ...Object.fromEntries([...shown, ...lost]), "": [], "the replies at the end": replies };
}

/** The acts in an answer that only the requester sees. */
async function toOnePerson(subject: Subject, text: string): Promise<string[]> {
  const { connection, judge, openThread, integration, allowed } = subject;
  if (!connection.thread?.answer) return [];
  const target = await openThread();
  const [place] = places;
  const report = place.report(text, { integration, excerpt: (words) => words });
  await connection.thread.answer(target, { ...report, requester: allowed }, signal);
  return judge.toOnePerson?.(target) ?? [];
}

/** A task of a person without an account at the code host, so that their name is shown as text. */
function aTaskWith(text: string, title = text): AgentTask {
  return aTask({
    actor: { id: "1", login: text.slice(0, 253) },
    source: { provider: "slack", subject: { type: "Issue", key: "C1/100.1", number: 42, title: title.slice(0, 512) } },
    spec: { codeHostRef: { kind: "GitHubIntegration", name: "acme" } },
    status: { result: { summary: text }, checkout: { headRef: "b", baseRef: "main", headSHA: shaOf("a") } },
  });
}

/** The acts in a change that is opened, and then gets a further commit. */
async function changed({ connection, judge, integration }: Subject, text: string): Promise<Acts> {
  const sources = {
    profile: aProfile({ output: { ci: "Hold" } }),
    integration,
    commit: shaOf("b"),
    mention: "bellhop",
  };
  const first = changeText({ ...sources, task: aTaskWith(text) });
  const next = changeText({ ...sources, task: aTaskWith(text), commit: shaOf("c") });
  const opened = await judge.change?.open(first);
  if (!opened) return {};
  const checks = checksRunning({ id: "1", login: text }, shaOf("c"));
  const body = connection.codeHost?.bodyWith(opened.body, {
    newest: next.newest,
    summary: text,
    mention: "bellhop",
    checks,
  });
  const updated = { ...opened, body: body ?? "lost: the parts of ours" };
  return { opened: judge.change?.acts(opened) ?? [], updated: judge.change?.acts(updated) ?? [] };
}

/** The acts in the message of a commit: the subject of a titled and of an untitled task, and the trailers. */
function committed({ connection, judge, integration }: Subject, text: string): string[] {
  const host = connection.codeHost;
  if (!host) return [];
  const account = { id: "1", codeHost: { id: "2", login: text.slice(0, 253) } };
  const known = {
    ...integration,
    spec: { ...integration.spec, access: { ...integration.spec.access, people: [account] } },
  };
  return [aTaskWith(text), aTaskWith(text, "")].flatMap((task) => {
    const { commit } = sandboxSpecOf({
      task,
      profile: aProfile(),
      integration: known,
      bot: integration.status?.bot,
      attempt: { number: 1, date: "2026-03-01T12:00:00Z" },
      host,
      egress: { probes: [], notProbed: [] },
      brokerURL: "https://broker.test",
      remainingMs: 1_000,
    });
    return judge.change?.commit([commit.subject, "", ...commit.trailers].join("\n")) ?? [];
  });
}

/** The acts that are not among our own; one of ours excuses one. */
function without(acts: readonly string[], ours: readonly string[]): string[] {
  const left = [...ours];
  return acts.filter((act) => {
    const at = left.indexOf(act);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
