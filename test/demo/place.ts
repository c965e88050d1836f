import type { ApiCall, MessageRef, SeenMessage, SlackFault } from "../providers/slack/index.ts";
import type { RemoteInjection } from "./outside.ts";

/** A cluster with Bellhop, and a GitHub stand-in: the demo and the e2e tests run on it. */
export interface Place {
  /** Human-readable name: `the built-in node`. */
  what: string;
  /** The namespace of the team. */
  namespace: string;
  /** The repository with the issues, `owner/name`. */
  repository: string;
  /** The mention of the bot: `@…`. */
  mention: string;
  /** The bot's login at GitHub. */
  bot: string;
  /** Runs kubectl with these arguments: returns its output, or throws an error with its message. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** GET from the API server: the object, or undefined if there is none. */
  api<T>(path: string): Promise<T | undefined>;
  /** Acts as a person at GitHub, with the verbs of test/providers/github/people. */
  people<T>(verb: string, given: object): Promise<T>;
  /** Records of the stand-in: `GET` of its admin port, for example `/deliveries`. */
  remembered<T>(path: string): Promise<T>;
  /** GET from GitHub's REST interface, as ana sees it. */
  rest<T>(path: string): Promise<T>;
  /** The Slack workspace, if the place has one. */
  slack?: SlackPlace;
  /** Runs git in the repository at GitHub. */
  git(...args: string[]): Promise<string>;
  /** Commands to inspect the place, one per line; empty if it cannot keep running. */
  around: string[];
  /** The ends of the processes' logs, for error messages. */
  logs(): Promise<string>;
  /** Leaves the place running if it can, and ends everything that only this process needs. */
  leave(): Promise<void>;
  /** Ends everything that the place started. May be called twice. */
  close(): Promise<void>;
}

/** A Slack workspace with a channel in which ana can mention the bot. */
export interface SlackPlace {
  /** Name of the channel. */
  channel: string;
  /** Acts as a person at Slack, with the verbs of test/providers/slack/people. */
  people<T>(verb: string, given: object): Promise<T>;
  /** The messages of a thread, oldest first. With a person also those that only this person sees. */
  messages(thread: MessageRef, options?: { as: string }): Promise<SeenMessage[]>;
  /** The requests of this type to the app so far, oldest first. */
  deliveries(type: string): Promise<SlackDelivery[]>;
  /** Makes calls of a method fail: so many times, or until it is stopped. */
  fail(method: string, failure: SlackFault, times?: number): Promise<RemoteInjection>;
  /** The calls of a method so far, oldest first. */
  calls(method: string): Promise<ApiCall[]>;
  /** The calls, answers and events that Slack's description does not allow. */
  violations(): Promise<readonly unknown[]>;
}

/** A request to the app, as the stand-in records it. */
export interface SlackDelivery {
  id: string;
  attempts: { headers: Record<string, string>; status?: number | undefined }[];
}

/** Takes one line of progress. */
export type Say = (line: string) => void;

/** The API path of Bellhop's custom resources. */
export const ours = (namespace: string, plural: string): string =>
  `/apis/bellhop.dev/v1alpha1/namespaces/${namespace}/${plural}`;
