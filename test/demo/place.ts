/** A cluster with Bellhop in it and a GitHub beside it: where the demo's story plays, and the e2e tests too. */
export interface Place {
  /** What it is, for people: `the built-in node`. */
  what: string;
  /** The namespace of the team. */
  namespace: string;
  /** The repository that people talk in, `owner/name`. */
  repository: string;
  /** What calls the bot: `@…`. */
  mention: string;
  /** The bot's login at GitHub. */
  bot: string;
  /** kubectl with these arguments: its output, or an error with what it said. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** GET from the API server: the object, or undefined where there is none. */
  api<T>(path: string): Promise<T | undefined>;
  /** What people do at GitHub, by the verbs of test/providers/github/people. */
  people<T>(verb: string, given: object): Promise<T>;
  /** What the stand-in remembers: `GET` of its admin port, for example `/deliveries`. */
  remembered<T>(path: string): Promise<T>;
  /** GET from GitHub's REST interface, as ana sees it. */
  rest<T>(path: string): Promise<T>;
  /** git in the repository at GitHub. */
  git(...args: string[]): Promise<string>;
  /** How to look around, one line each; empty where nothing can be left running. */
  around: string[];
  /** The ends of what the processes said, for messages of what failed. */
  logs(): Promise<string>;
  /** Leaves it running where it can run on, and ends what only this process needs. */
  leave(): Promise<void>;
  /** Ends everything it started. May be called twice. */
  close(): Promise<void>;
}

/** Takes one line of progress. */
export type Say = (line: string) => void;

/** Where custom resources of ours are in the API. */
export const ours = (namespace: string, plural: string): string =>
  `/apis/bellhop.dev/v1alpha1/namespaces/${namespace}/${plural}`;
