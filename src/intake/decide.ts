import type { Command } from "../api/agent-task.ts";
import type { Trigger } from "../api/integration.ts";
import type { ProviderEvent, Signal } from "../integrations/event.ts";
import type { Integration } from "../integrations/integration.ts";
import { defined } from "../shared/defined.ts";
import type { CompiledRule, RefusedRule } from "./cel.ts";
import type { IntegrationFacts } from "./gateway-facts.ts";
import { parseCommand, parseSlashCommand } from "./parse-command.ts";

/** Older events create no tasks: their tasks may be deleted already, so a duplicate could no longer be detected by its name. */
export const retentionMs = 7 * 24 * 3_600_000;

/** The input of `decide`. */
export interface DecisionFacts {
  integration: Integration;
  event: ProviderEvent;
  /** The parsed body of the delivery; the variable `body` of rules. */
  body: unknown;
  published: IntegrationFacts;
  now: Date;
  compile: (expression: string) => CompiledRule;
}

/** The decision about an event: create a task, or ignore the event with a reason. */
export type Decision =
  | {
      result: "task";
      trigger?: Trigger;
      /** The signal of the event that the trigger matched or that carries the command. */
      signal: Signal;
      command?: Command;
      argument?: string;
      /** Name of the task that a button or menu belongs to. */
      target?: string;
      /** Id of the message that has it. */
      message?: string;
    }
  | { result: "ignored"; reason: string; message: string };

/** Decides whether an event of an integration creates a task. Pure. A command needs no trigger: it addresses an existing task. */
export function decide(facts: DecisionFacts): Decision {
  const { integration, event, now } = facts;
  const inactive = whyInactive(integration);
  if (inactive) return inactive;
  if (event.occurredAt && now.getTime() - event.occurredAt.getTime() > retentionMs) {
    return ignored(
      "OlderThanRetention",
      `The event happened at ${event.occurredAt.toISOString()}, which is more than 7 days ago.`,
    );
  }
  return senderIsBot(integration, event) ?? commandOf(event) ?? firstMatch(facts);
}

/**
 * Two bots that answer each other would never end, so a bot asks for nothing unless `spec.access.bots` lists it. Failed checks are no request of
 * their sender.
 */
function senderIsBot({ spec }: Integration, { actor, signals }: ProviderEvent): Decision | undefined {
  if (!actor.isBot || signals.some(({ kind }) => kind === "failedChecks")) return undefined;
  if (spec.access.bots?.some(({ id }) => id === actor.id)) return undefined;
  return ignored(
    "BotSender",
    "A bot did this; bots start tasks only if the integration lists them (spec.access.bots).",
  );
}

/** The reason why an integration ignores all events; undefined if it is active. */
export function whyInactive({ metadata, spec }: Integration): Extract<Decision, { result: "ignored" }> | undefined {
  if (metadata.deletionTimestamp) return ignored("IntegrationDeleted", "The integration is being deleted.");
  if (spec.suspend) return ignored("Suspended", "The integration is suspended (spec.suspend).");
  return undefined;
}

function commandOf(event: ProviderEvent): Decision | undefined {
  const addressed = event.signals.find((signal) => "words" in signal);
  const isSlash = addressed?.kind === "slashCommand";
  const parsed = addressed && (isSlash ? parseSlashCommand(addressed.words) : parseCommand(addressed.words));
  if (!parsed) return undefined;
  if (isSlash && parsed.command === "unclear")
    return ignored("NotUnderstood", "Is this a command or a request for work? Describe work in a whole sentence.");
  // A slash command belongs to no thread: of the work of its channel it can only show the state, and stop it.
  if (isSlash && !commandsOfChannel.has(parsed.command))
    return ignored("NeedsThread", "Give this command in the thread of the work, or use the buttons of its report.");
  return {
    result: "task",
    signal: addressed,
    ...parsed,
    ...defined({ target: addressed.target, message: addressed.message }),
  };
}

const commandsOfChannel: ReadonlySet<Command> = new Set(["status", "stop", "help"]);

/** The first trigger that matches. If a rule is broken, no trigger matches: the other triggers rely on that rule. */
function firstMatch(facts: DecisionFacts): Decision {
  const broken = brokenRule(facts.integration.spec.triggers, facts.compile);
  if (broken) return ignored(broken.reason, broken.message);
  let reason: Decision = ignored("NoTrigger", `No trigger of the integration matches this ${facts.event.event} event.`);
  for (const trigger of facts.integration.spec.triggers) {
    const outcome = matchTrigger(facts, trigger);
    if (outcome === "noMatch") continue;
    if (outcome.result === "task") return outcome;
    reason = outcome;
  }
  return reason;
}

/** The first rule that cannot be used; it disables all triggers of the integration. The operator shows it in the condition `Stalled`. */
export function brokenRule(
  triggers: readonly Pick<Trigger, "name" | "when">[],
  compile: (expression: string) => { ok: true } | RefusedRule,
): Omit<RefusedRule, "ok"> | undefined {
  for (const { name, when } of triggers) {
    const rule = when === undefined ? undefined : compile(when);
    if (!rule || rule.ok) continue;
    const message = `All triggers are disabled until spec.triggers[${name}].when is fixed (commands such as stop still work): ${rule.message}`;
    return { reason: rule.reason, message };
  }
  return undefined;
}

function matchTrigger(facts: DecisionFacts, trigger: Trigger): Decision | "noMatch" {
  const signal = facts.event.signals.find((signal) => matches(trigger, signal));
  if (!signal) return "noMatch";
  if (signal.kind === "failedChecks" && !isOurBranch(signal, facts.published)) {
    return ignored(
      "NotOurBranch",
      "Failed checks create tasks only for branches of the same repository that Bellhop pushes to.",
    );
  }
  const rule = trigger.when === undefined ? undefined : evaluate(facts, trigger, trigger.when);
  return rule ?? { result: "task", trigger, signal };
}

/** The reason why the rule of a trigger prevents the match; undefined if the rule is true. */
function evaluate({ event, body, compile }: DecisionFacts, trigger: Trigger, when: string): Decision | undefined {
  const rule = compile(when);
  if (!rule.ok) return ignored(rule.reason, rule.message);
  const result = rule.evaluate(eventForRules(event), body);
  if (!result.ok)
    return ignored("RuleFailed", `Could not evaluate the rule of trigger ${trigger.name}: ${result.message}`);
  if (!result.value) return ignored("RuleFalse", `The rule of trigger ${trigger.name} is false for this event.`);
  return undefined;
}

/** The variable `event` of rules: times are texts. */
function eventForRules(given: ProviderEvent): object {
  const { occurredAt, visibleText: _, ...event } = given;
  return occurredAt === undefined ? event : { ...event, occurredAt: occurredAt.toISOString() };
}

function matches(trigger: Trigger, signal: Signal): boolean {
  // A button only carries commands.
  if (signal.kind === "action") return false;
  if ("words" in signal || signal.kind === "failedChecks") return trigger[signal.kind] !== undefined;
  if (signal.kind === "label") return equalIgnoringCase(trigger.label?.name, signal.label);
  return equalIgnoringCase(trigger[signal.kind]?.login, signal.login);
}

function equalIgnoringCase(wanted: string | undefined, given: string): boolean {
  return wanted?.toLowerCase() === given.toLowerCase();
}

function isOurBranch(signal: Extract<Signal, { kind: "failedChecks" }>, { branchPrefixes }: IntegrationFacts): boolean {
  return signal.sameRepository && branchPrefixes.some((prefix) => signal.headBranch.startsWith(prefix));
}

function ignored(reason: string, message: string): Extract<Decision, { result: "ignored" }> {
  return { result: "ignored", reason, message };
}
