import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { defined } from "../../src/shared/defined.ts";
import type { RunResult } from "../cluster/node/index.ts";
import type { Failure } from "../providers/stand-in/failures.ts";
import { makeTls, type ServerTls } from "../providers/stand-in/tls.ts";

/** Keys and certificates of the servers outside the cluster. */
export interface OutsideTls {
  github: ServerTls;
  edge: ServerTls;
  /** Only if tasks are requested in Slack. */
  slack?: ServerTls;
}

/** Creates keys and certificates for these names or addresses. */
export async function outsideTls(at: { github: string; edge: string; slack?: string }): Promise<OutsideTls> {
  const slack = at.slack === undefined ? {} : { slack: await makeTls([at.slack]) };
  return { github: await makeTls([at.github]), edge: await makeTls([at.edge]), ...slack };
}

/** The files, by the names that `standInFlags` and `edgeFlags` use. */
export function filesOf(tls: OutsideTls): Record<string, string> {
  const files = Object.entries(tls).flatMap(([name, { cert, key, ca }]: [string, ServerTls]) => [
    [`${name}.crt`, cert],
    [`${name}.key`, key],
    [`${name}-ca.crt`, ca],
  ]);
  return Object.fromEntries(files) as Record<string, string>;
}

/** Writes the files to a folder. */
export function writeTls(folder: string, tls: OutsideTls): void {
  for (const [name, text] of Object.entries(filesOf(tls))) writeFileSync(join(folder, name), text, { mode: 0o600 });
}

/** The stand-in's port for actions of people, on loopback of its host. */
export const adminPort = 9999;

/** The host and port of a stand-in, the address that links carry, and the folder of the certificates. */
export interface StandInAddress {
  host: string;
  port: number;
  url: string;
  tls: string;
}

/** Arguments for the main.ts of test/providers/github or test/providers/slack. */
export function standInFlags(name: "github" | "slack", { host, port, url, tls }: StandInAddress): string[] {
  const files = ["--cert", `${tls}/${name}.crt`, "--key", `${tls}/${name}.key`, "--webhook-ca", `${tls}/edge-ca.crt`];
  const where = ["--host", host, "--port", String(port), "--admin-port", String(adminPort), "--public-url", url];
  return [...where, ...files];
}

/** Arguments for test/providers/edge.ts. */
export function edgeFlags(at: { host: string; port: number; tls: string; to: string }): string[] {
  const { host, port, tls, to } = at;
  return ["--host", host, "--port", String(port), "--cert", `${tls}/edge.crt`, "--key", `${tls}/edge.key`, "--to", to];
}

/** Runs a command on the stand-in's host. */
export type Inside = (argv: readonly string[]) => Promise<RunResult>;

/** A failure that a stand-in of another process injects. */
export interface RemoteInjection {
  /** How many requests have failed because of it. */
  hits(): Promise<number>;
  stop(): Promise<void>;
}

/** A client of a stand-in's admin port, on its host. */
export interface AdminCaller {
  people<T>(verb: string, given: object): Promise<T>;
  remembered<T>(path: string): Promise<T>;
  /** Makes calls fail, as `fail` of the stand-in does: so many times, or until it is stopped. */
  fail(match: object, failure: Failure, times?: number): Promise<RemoteInjection>;
}

/** A client of GitHub's stand-in, on its host. */
export interface Caller extends AdminCaller {
  rest<T>(path: string): Promise<T>;
}

/** A script for `node -e` that sends one request: URL, method, headers and body are arguments; it prints the answer as JSON. */
const script = `
const [url, method, headers, body] = process.argv.slice(1);
const response = await fetch(url, { method, headers: JSON.parse(headers), ...(body && { body }) });
console.log(JSON.stringify({ status: response.status, text: await response.text() }));
`;

type Send = <T>(url: string, method: string, more?: { headers?: object; body?: string }) => Promise<T>;

/** Sends requests with this script, run with `inside`. */
function sender(inside: Inside, node: string, environment: readonly string[] = []): Send {
  return async <T>(url: string, method: string, more: { headers?: object; body?: string } = {}): Promise<T> => {
    const argv = [node, "--input-type=module", "-e", script, url, method, JSON.stringify(more.headers ?? {})];
    const result = await inside([...environment, ...argv, more.body ?? ""]);
    if (result.code !== 0) throw new Error(`${method} ${url} could not be called: ${result.stderr.trim().slice(-500)}`);
    const { status, text } = JSON.parse(result.stdout) as { status: number; text: string };
    if (status >= 300) throw new Error(`${method} ${url} was answered ${status}: ${text.slice(0, 500)}`);
    return JSON.parse(text) as T;
  };
}

/** Creates a client of the admin port on the host where `inside` runs commands. */
export function adminCaller(inside: Inside, node: string): AdminCaller {
  const send = sender(inside, node);
  const admin = `http://127.0.0.1:${adminPort}`;
  return {
    people: (verb, given) => send(`${admin}/people/${verb}`, "POST", { body: JSON.stringify(given) }),
    remembered: (path) => send(`${admin}${path}`, "GET"),
    async fail(match, failure, times) {
      const span = defined({ times });
      const { id } = await send<{ id: number }>(`${admin}/fail`, "POST", {
        body: JSON.stringify({ match, failure, span }),
      });
      return {
        hits: async () => (await send<{ hits: number }>(`${admin}/fail?id=${id}`, "GET")).hits,
        stop: async () => void (await send(`${admin}/fail?id=${id}`, "DELETE")),
      };
    },
  };
}

/** Creates a client of GitHub on the host where `inside` runs commands. */
export function caller(inside: Inside, at: { node: string; url: string; caFile: string }): Caller {
  const admin = adminCaller(inside, at.node);
  const send = sender(inside, at.node, ["env", `NODE_EXTRA_CA_CERTS=${at.caFile}`]);
  let token: string | undefined;
  return {
    ...admin,
    async rest(path) {
      token ??= await admin.people<string>("createUserToken", { login: "ana" });
      return send(`${at.url}/api/v3${path}`, "GET", { headers: { authorization: `Bearer ${token}` } });
    },
  };
}

/** The initial content of the demo's GitHub. */
export interface Population {
  /** Folder of the repository's bare git repository, on the stand-in's host. */
  gitDir: string;
  app: { id: number; slug: string; privateKey: string };
}

/** A person, an organisation with a repository, and the App that a team would register. */
export async function populate({ people }: Pick<Caller, "people">): Promise<Population> {
  await people("createUser", { login: "ana" });
  await people("createOrg", { login: "acme", members: { ana: "admin" } });
  const files = { "README.md": "# Shop\n", "src/price.txt": "one\ntwo\n" };
  const { dir } = await people<{ dir: string }>("createRepo", { repo: "acme/shop", files });
  // People register an App before Bellhop is installed; the integration then takes over its hook.
  const hook = { webhookUrl: "https://example.com/later", webhookSecret: "replaced by the integration" };
  const app = await people<Population["app"]>("createApp", { slug: "bellhop", owner: "acme", ...hook });
  await people("installApp", { app: "bellhop", on: "acme" });
  return { gitDir: dir, app };
}
