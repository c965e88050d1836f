/**
 * Reports and questions as data. A provider renders them in the form of its threads, so that text passes through the encoder of the place
 * where it is shown and through no other.
 */

/** A piece of a line. A plain string is Bellhop's own text, without markup. */
export type Span =
  | string
  | { strong: string }
  | { code: string }
  /** Text of a model or a stranger, or a message that may quote some: shown, but nothing in it acts. Markdown may be formatted. */
  | { untrusted: string; /** It is one item of a list, so it is cut to a short text. */ inItem?: true }
  /** An excerpt of untrusted text in quotation marks, linked to a page of the provider. */
  | { quote: string; url?: string | undefined }
  /** A person by the provider's id; `notify` mentions them. */
  | { person: { id: string; login: string }; notify: boolean }
  /** A command as people write it, after the bot's mention. */
  | { command: string }
  /** The pull request. */
  | { change: { number: number; url?: string | undefined; draft: boolean } };

/** One line of text. */
export type Line = readonly Span[];

/** A part of a report. Parts are separated by space. */
export type Block =
  | { line: Line }
  | { checklist: readonly { done: boolean; line: Line }[] }
  | { list: readonly Line[]; /** The items have the numbers 1, 2, … */ numbered?: true }
  /** The agent's own Markdown, untrusted. */
  | { summary: string; maxBytes: number };

/** A command that a reader can give with a button, where the provider has buttons. */
export type ReportAction = "stop" | "retry" | "approve";

/** The report of a task: the one message in the thread that Bellhop keeps up to date. */
export interface Report {
  /** Name of the task, so that a button of the report acts on this task and no other. */
  task: string;
  blocks: readonly Block[];
  /** True if the report does not change any more. */
  over: boolean;
  actions: readonly ReportAction[];
  /** A question to the requester. */
  question?: Question | undefined;
  /** Who asked; at the end a provider of chats notifies them. */
  requester: { id: string; login: string };
  /** The bot's account here, if it is known: people write commands after its mention. */
  bot?: { id: string; mention: string } | undefined;
}

/** A question that the requester answers in the thread. Everybody who reads the thread may read the choices. */
export interface Question {
  text: string;
  /** Some possible answers: each is a repository, `owner/name`. */
  choices: readonly string[];
}

/** The text of a change as data; the code host renders it. */
export interface ChangeText {
  /** Title of the subject, untrusted. */
  title: string;
  /** The issue that the change closes, or the change that it is stacked on or was requested in; of the same repository. */
  subject?: { relation: "Closes" | "OnTopOf" | "RequestedIn"; number: number } | undefined;
  /** The agent's summary: untrusted Markdown. */
  summary?: string | undefined;
  /** About the newest commit of ours. */
  newest: Line;
  /** The state of its checks; empty if they run. */
  checks: Line;
  /** The name that people write after `@` to mention the bot at the code host. */
  mention?: string | undefined;
}
