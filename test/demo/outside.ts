import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunResult } from "../cluster/node/index.ts";
import { makeTls, type ServerTls } from "../providers/github/tls.ts";

/** Keys and certificates of the servers outside the cluster. */
export interface OutsideTls {
  github: ServerTls;
  edge: ServerTls;
}

/** Creates keys and certificates for these names or addresses. */
export async function outsideTls(github: string, edge: string): Promise<OutsideTls> {
  return { github: await makeTls([github]), edge: await makeTls([edge]) };
}

/** The files, by the names that `standInFlags` and `edgeFlags` use. */
export function filesOf({ github, edge }: OutsideTls): Record<string, string> {
  return {
    "github.crt": github.cert,
    "github.key": github.key,
    "github-ca.crt": github.ca,
    "edge.crt": edge.cert,
    "edge.key": edge.key,
    "edge-ca.crt": edge.ca,
  };
}

/** Writes the files to a folder. */
export function writeTls(folder: string, tls: OutsideTls): void {
  for (const [name, text] of Object.entries(filesOf(tls))) writeFileSync(join(folder, name), text, { mode: 0o600 });
}

/** The stand-in's port for actions of people, on loopback of its host. */
export const adminPort = 9999;

/** Arguments for test/providers/github/main.ts. */
export function standInFlags(at: { host: string; port: number; url: string; tls: string; state: string }): string[] {
  const { host, port, url, tls, state } = at;
  const files = ["--cert", `${tls}/github.crt`, "--key", `${tls}/github.key`, "--webhook-ca", `${tls}/edge-ca.crt`];
  const where = ["--host", host, "--port", String(port), "--admin-port", String(adminPort), "--public-url", url];
  return [...where, ...files, "--state", state];
}

/** Arguments for test/providers/edge.ts. */
export function edgeFlags(at: { host: string; port: number; tls: string; to: string }): string[] {
  const { host, port, tls, to } = at;
  return ["--host", host, "--port", String(port), "--cert", `${tls}/edge.crt`, "--key", `${tls}/edge.key`, "--to", to];
}

/** Runs a command on the stand-in's host. */
export type Inside = (argv: readonly string[]) => Promise<RunResult>;

/** A client of the stand-in, on its host. */
export interface Caller {
  people<T>(verb: string, given: object): Promise<T>;
  remembered<T>(path: string): Promise<T>;
  rest<T>(path: string): Promise<T>;
}

/** A script for `node -e` that sends one request: URL, method, headers and body are arguments; it prints the answer as JSON. */
const script = `
const [url, method, headers, body] = process.argv.slice(1);
const response = await fetch(url, { method, headers: JSON.parse(headers), ...(body && { body }) });
console.log(JSON.stringify({ status: response.status, text: await response.text() }));
`;

/** Creates a client that runs this script with `inside`, on the stand-in's host. */
export function caller(inside: Inside, at: { node: string; url: string; caFile: string }): Caller {
  let token: string | undefined;
  const call = async <T>(url: string, method: string, more: { headers?: object; body?: string } = {}): Promise<T> => {
    const environment = ["env", `NODE_EXTRA_CA_CERTS=${at.caFile}`];
    const argv = [at.node, "--input-type=module", "-e", script, url, method, JSON.stringify(more.headers ?? {})];
    const result = await inside([...environment, ...argv, more.body ?? ""]);
    if (result.code !== 0) throw new Error(`${method} ${url} could not be called: ${result.stderr.trim().slice(-500)}`);
    const { status, text } = JSON.parse(result.stdout) as { status: number; text: string };
    if (status >= 300) throw new Error(`${method} ${url} was answered ${status}: ${text.slice(0, 500)}`);
    return JSON.parse(text) as T;
  };
  const admin = `http://127.0.0.1:${adminPort}`;
  const people = <T>(verb: string, given: object): Promise<T> =>
    call<T>(`${admin}/people/${verb}`, "POST", { body: JSON.stringify(given) });
  return {
    people,
    remembered: (path) => call(`${admin}${path}`, "GET"),
    async rest(path) {
      token ??= await people<string>("createUserToken", { login: "ana" });
      return call(`${at.url}/api/v3${path}`, "GET", { headers: { authorization: `Bearer ${token}` } });
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
