import { durationMs } from "../../api/duration.ts";
import type { AgentProfile, AgentTask } from "../../api/kinds.ts";
import type { CodeHost } from "../../integrations/code-host.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import { commitSubject } from "./branch-name.ts";
import { personAtCodeHost, repositoryOf, requesterOf } from "./state.ts";
import { defined } from "../../shared/defined.ts";

/** Inputs of `sandbox.json`. */
export interface SpecSources {
  task: AgentTask;
  profile: AgentProfile;
  integration: Integration | undefined;
  /** The bot's account at the code host. */
  bot: NonNullable<Integration["status"]>["bot"];
  /** `date` is now (RFC 3339), as for `remainingMs`. */
  attempt: { number: number; date: string };
  host: Pick<CodeHost, "coAuthor" | "skipChecksTrailer">;
  egress: Pick<SandboxSpec["egress"], "probes" | "notProbed">;
  brokerURL: string;
  remainingMs: number;
}

/** Builds the instructions for the courier of an attempt (`sandbox.json`). Pure. Throws if the task has no repository or checkout; the earlier steps set both. */
export function sandboxSpecOf(sources: SpecSources): SandboxSpec {
  const { task, profile, attempt } = sources;
  const repository = repositoryOf(task);
  const checkout = task.status?.checkout;
  if (!repository || !checkout?.headRef) throw new TypeError(`task ${task.metadata.name} has no checkout`);
  const { namespace, name, uid = "" } = task.metadata;
  return {
    version: 1,
    task: { namespace, name, uid },
    attempt: attempt.number,
    brokerURL: sources.brokerURL,
    repository,
    checkout: {
      branch: checkout.headRef,
      ...defined({ headSHA: checkout.headSHA, baseRef: checkout.baseRef }),
    },
    publish: { ref: `refs/heads/${checkout.headRef}`, ...oldIdOf(sources) },
    commit: commitOf(sources),
    output: outputOf(profile),
    limits: {
      wallClockMs: sources.remainingMs,
      stallMs: durationMs(profile.spec.limits.stall),
      deadlineMs: Date.parse(attempt.date) + sources.remainingMs,
    },
    egress: { ...sources.egress, acceptOwnNode: profile.spec.sandbox.acceptOwnNode },
    agent: { type: profile.spec.agent.type, command: profile.spec.agent.command },
  };
}

/** Time limit of the task, all attempts together: the lower of its own limit and the profile's. */
export function wallClockMs(task: AgentTask, profile: AgentProfile): number {
  const most = durationMs(profile.spec.limits.wallClock);
  return task.spec.limits?.wallClock === undefined ? most : Math.min(most, durationMs(task.spec.limits.wallClock));
}

/** When the task reaches its time limit; undefined before its first sandbox. */
export function deadlineMs(task: AgentTask, profile: AgentProfile): number | undefined {
  const { startTime } = task.status ?? {};
  return startTime === undefined ? undefined : Date.parse(startTime) + wallClockMs(task, profile);
}

/** An existing branch must still be at the commit that the agent starts from, so that every push is a fast-forward. A new branch must not exist. */
function oldIdOf({ task }: SpecSources): { oldId?: string } {
  const { newBranch, headSHA } = task.status?.checkout ?? {};
  return newBranch || headSHA === undefined ? {} : { oldId: headSHA };
}

function commitOf({ task, profile, integration, bot, attempt, host }: SpecSources): SandboxSpec["commit"] {
  const fromKubernetes = task.spec.source.provider === "kubernetes";
  const requester = fromKubernetes ? undefined : personAtCodeHost(task, integration, requesterOf(task));
  const trailers = [
    ...(requester ? [coAuthorTrailer(host.coAuthor(requester))] : []),
    ...(profile.spec.output.ci === "Hold" ? [host.skipChecksTrailer] : []),
  ];
  return { author: authorOf(bot, host), subject: commitSubject(task), trailers, date: attempt.date };
}

function authorOf(bot: SpecSources["bot"], host: SpecSources["host"]): { name: string; email: string } {
  if (!bot) return { name: "Bellhop", email: "bellhop@localhost" };
  const [, name, email] = /^(.*) <([^<>]+)>$/.exec(withoutKey(host.coAuthor(bot))) ?? [];
  return name && email ? { name, email } : { name: bot.login, email: "bellhop@localhost" };
}

/** One line: an integration that was created before its logins were checked may have line breaks in them, which would begin other trailers. */
function coAuthorTrailer(text: string): string {
  return `Co-authored-by: ${withoutKey(text).replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")}`;
}

function withoutKey(text: string): string {
  return text.replace(/^Co-authored-by:\s*/i, "");
}

function outputOf({ spec }: AgentProfile): SandboxSpec["output"] {
  const { protectedPaths, maxFiles, maxPatchKiB } = spec.output;
  return { protectedPaths, maxFiles, maxPatchKiB };
}
