import type { App, Installation } from "../state/apps.ts";
import type { World } from "../state/world.ts";
import type { Params } from "./params.ts";

/** The input of a method. */
export interface Call {
  world: World;
  params: Params;
  /** `Authorization: Basic`, as `[user, password]`; only `oauth.v2.access` uses it. */
  basic: [string, string] | undefined;
}

/** A call with a bot token. */
export interface BotCall extends Call {
  installation: Installation;
}

/** A call with an app-level token. */
export interface AppCall extends Call {
  app: App;
}

/** The fields of a successful answer beside `ok`. */
export type Answer = Record<string, unknown>;

/** A method of the Web API. */
export interface Method {
  /** For example `chat.postMessage`. */
  name: string;
  /** `bot`: a bot token. `app`: an app-level token. `everyone`: no token. */
  access: "bot" | "app" | "everyone";
  /** The token needs one of these scopes; none if the list is empty. */
  scopes: string[];
  /** Whether it accepts a JSON body. Slack's reading methods accept only forms. */
  json: boolean;
  handle: (call: Call) => Answer | Promise<Answer>;
}

/** A method that changes something: forms and JSON. */
export function writing(name: string, scopes: string[], handle: (call: BotCall) => Answer): Method {
  return { name, access: "bot", scopes, json: true, handle: (call) => handle(call as BotCall) };
}

/** A method that reads: forms only. */
export function reading(name: string, scopes: string[], handle: (call: BotCall) => Answer): Method {
  return { name, access: "bot", scopes, json: false, handle: (call) => handle(call as BotCall) };
}
