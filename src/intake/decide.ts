import type { Command } from "../api/agent-task.ts";
import type { Trigger } from "../api/github-integration.ts";
import type { Integration, ProviderEvent, Signal } from "../integrations/types.ts";
import type { CompiledRule, RefusedRule } from "./cel.ts";
import { parseCommand } from "./command.ts";
import type { IntegrationFacts } from "./gateway-facts.ts";

/** Events that happened longer ago ring no more: their tasks may be gone, so their names would not tell a repetition. */
export const retentionMs = 7 * 24 * 3_600_000;

/** What a decision rests on. */
export interface DecisionFacts {
  integration: Integration;
  event: ProviderEvent;
  /** The delivery as it came, parsed; rules see it. */
  body: unknown;
  published: IntegrationFacts;
  now: Date;
  compile: (expression: string) => CompiledRule;
}

/** What becomes of an event: a task, or nothing, and then why. */
export type Decision =
  | {
      result: "task";
      trigger?: Trigger;
      /** What in the event the trigger, or the command, is about. */
      ring: Signal;
      command?: Command;
      argument?: string;
    }
  | { result: "ignored"; reason: string; message: string };

/** Decides what an event of an integration makes. Pure. A command needs no trigger of its own: it speaks to a task that is there. */
export function decide(facts: DecisionFacts): Decision {
  const { integration, event, now } = facts;
  const rest = atRest(integration);
  if (rest) return rest;
  if (event.occurredAt && now.getTime() - event.occurredAt.getTime() > retentionMs) {
    return ignored("OlderThanRetention", `It happened at ${event.occurredAt.toISOString()}, more than 7 days ago.`);
  }
  return command(event) ?? firstMatch(facts);
}

/** Why an integration takes nothing, whatever comes. */
export function atRest({ metadata, spec }: Integration): Extract<Decision, { result: "ignored" }> | undefined {
  if (metadata.deletionTimestamp) return ignored("IntegrationDeleted", "The integration is being deleted.");
  if (spec.suspend) return ignored("Suspended", "The integration is suspended (spec.suspend).");
  return undefined;
}

function command(event: ProviderEvent): Decision | undefined {
  const mention = event.signals.find((ring) => ring.kind === "mention");
  const parsed = mention && parseCommand(mention.words);
  return parsed && { result: "task", ring: mention, ...parsed };
}

/** The first trigger that rings; none does where a rule is broken, for the others were written knowing it. */
function firstMatch(facts: DecisionFacts): Decision {
  const broken = brokenRule(facts.integration.spec.triggers, facts.compile);
  if (broken) return ignored(broken.reason, broken.message);
  let reason: Decision = ignored("NoTrigger", `No trigger of the integration asks for this ${facts.event.event}.`);
  for (const trigger of facts.integration.spec.triggers) {
    const outcome = tryTrigger(facts, trigger);
    if (outcome === "other") continue;
    if (outcome.result === "task") return outcome;
    reason = outcome;
  }
  return reason;
}

/** Why an integration's triggers ring nothing: the first rule that cannot be used. The operator shows it as `Stalled`. */
export function brokenRule(
  triggers: readonly Pick<Trigger, "name" | "when">[],
  compile: (expression: string) => { ok: true } | RefusedRule,
): Omit<RefusedRule, "ok"> | undefined {
  for (const { name, when } of triggers) {
    const rule = when === undefined ? undefined : compile(when);
    if (!rule || rule.ok) continue;
    const message = `No trigger rings until triggers[${name}].when is mended (commands such as stop still work): ${rule.message}`;
    return { reason: rule.reason, message };
  }
  return undefined;
}

function tryTrigger(facts: DecisionFacts, trigger: Trigger): Decision | "other" {
  const ring = facts.event.signals.find((ring) => asksFor(trigger, ring));
  if (!ring) return "other";
  if (ring.kind === "failedChecks" && !isOurBranch(ring, facts.published)) {
    return ignored("NotOurBranch", "Checks ring only for branches of the same repository that Bellhop pushes to.");
  }
  const rule = trigger.when === undefined ? undefined : evaluate(facts, trigger, trigger.when);
  return rule ?? { result: "task", trigger, ring };
}

/** Why a trigger's rule keeps it from matching; undefined where it is true. */
function evaluate({ event, body, compile }: DecisionFacts, trigger: Trigger, when: string): Decision | undefined {
  const rule = compile(when);
  if (!rule.ok) return ignored(rule.reason, rule.message);
  const result = rule.evaluate(forRules(event), body);
  if (!result.ok) return ignored("RuleFailed", `The rule of trigger ${trigger.name} gave no answer: ${result.message}`);
  if (!result.value) return ignored("RuleFalse", `The rule of trigger ${trigger.name} is not true here.`);
  return undefined;
}

/** What rules see as `event`: times as text. */
function forRules(given: ProviderEvent): object {
  const { occurredAt, visibleText: _, ...event } = given;
  return occurredAt === undefined ? event : { ...event, occurredAt: occurredAt.toISOString() };
}

function asksFor(trigger: Trigger, ring: Signal): boolean {
  if (ring.kind === "mention" || ring.kind === "failedChecks") return trigger[ring.kind] !== undefined;
  if (ring.kind === "label") return same(trigger.label?.name, ring.label);
  return same(trigger[ring.kind]?.login, ring.login);
}

function same(wanted: string | undefined, given: string): boolean {
  return wanted?.toLowerCase() === given.toLowerCase();
}

function isOurBranch(ring: Extract<Signal, { kind: "failedChecks" }>, { branchPrefixes }: IntegrationFacts): boolean {
  return ring.sameRepository && branchPrefixes.some((prefix) => ring.headBranch.startsWith(prefix));
}

function ignored(reason: string, message: string): Extract<Decision, { result: "ignored" }> {
  return { result: "ignored", reason, message };
}
