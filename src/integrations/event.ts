import type { TaskSource } from "../api/agent-task.ts";
import type { ProviderName } from "../api/integration-kinds.ts";
import type { RepositoryRef } from "./code-host.ts";

/** A delivery after it was verified, parsed and normalised. All providers produce this shape. */
export interface ProviderEvent extends Origin {
  provider: ProviderName;
  /** The provider's instance that ids belong to, for example `github.com` or a Slack workspace. */
  instance: string;
  event: string;
  action?: string;
  deliveryId?: string;
  /** Identifies the cause; built only from bytes that the signature covers. One cause creates one task. */
  cause: string;
  url?: string;
  subject: { type: TaskSource["subject"]["type"]; key: string; number?: number; title?: string; createdAt?: string };
  object: NonNullable<TaskSource["object"]>;
  /** The issue, change or thread that the task belongs to, by the provider's ids, for example `9001#42`: names can change or pass to another object. */
  conversation: string;
  actor: { id: string; login: string; isBot: boolean };
  /** When the cause happened, from the payload. Recovery and retention use this time. */
  occurredAt?: Date;
  /** The whole text that carries the signal, untrusted; absent for labels, assignments and checks. */
  text?: string;
  /**
   * The text that asks for work as a reader sees it, without hidden parts, for the agent's prompt; only its beginning if it is too long: `text`,
   * or for a label, an assignment and a review request the title and description of the issue or change.
   */
  visibleText?: string;
  signals: Signal[];
}

/** A repository as an event names it. */
export interface EventRepository extends RepositoryRef {
  private: boolean;
}

/**
 * The place at the provider that an event comes from, as far as the provider has such places: `covers` compares it with the integration's spec.
 * Repository: code hosts only. Installation: the App installation, organisation or workspace that the payload claims. Channel: chats only.
 */
export interface Origin {
  repository?: EventRepository;
  installationId?: string;
  channel?: { id: string; type: "Public" | "Private" | "Direct" };
}

/** A part of an event that a trigger can match. Triggers match signals, so they do not depend on the provider. */
export type Signal =
  | {
      /** A person addressed the bot. `action`: with a button or menu of ours, which can only carry a command. */
      kind: "mention" | "directMessage" | "slashCommand" | "shortcut" | "action";
      /** The text after the mention, from its first line on; commands are parsed from it. */ words: string;
      /** Only of an `action`: name of the task whose report or question has the button or menu. */ target?: string;
      /** Only of an `action`: id of the message that has it, as `Thread.post` returned it. Absent for messages that only one person sees. */
      message?: string;
      /** Only of a `mention`: the message does not mention the bot, but follows in a thread that the bot takes part in. */ followUp?: true;
    }
  | { kind: "label"; label: string }
  | { kind: "assignment"; login: string }
  | { kind: "reviewRequest"; login: string }
  | {
      kind: "failedChecks";
      headBranch: string;
      headSHA: string;
      sameRepository: boolean;
      /** Human-readable name of the check that the event reports. */ name?: string;
    };
