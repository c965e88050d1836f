import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent, fetch, type Headers } from "undici";
import type { GitHubStandIn } from "./index.ts";
import { defined } from "../../../src/shared/defined.ts";

/** A received webhook. */
export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A webhook receiver on loopback. */
export interface Receiver {
  url: string;
  received: Received[];
  /** Sets the answer from now on: a status, or `hang` for no answer. */
  answer(status: number | "hang"): void;
  close(): Promise<void>;
}

/** Starts a receiver that answers 202. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let status: number | "hang" = 202;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString() });
      if (status === "hang") return;
      response.writeHead(status);
      response.end("noted");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answer(next) {
      status = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A response of the stand-in; its body is an object unless the caller of `call` says otherwise. */
// Tests read responses of every shape.
// oxlint-disable-next-line typescript/no-explicit-any
export interface Reply<Body = Record<string, any>> {
  status: number;
  headers: Headers;
  body: Body;
}

/** Calls the REST API like a plain client. */
export async function call<Body = Reply["body"]>(
  github: GitHubStandIn,
  request: `${string} /${string}`,
  token?: string,
  body?: unknown,
): Promise<Reply<Body>> {
  const [method = "GET", path = "/"] = request.split(" ");
  const dispatcher = new Agent({ connect: defined({ ca: github.ca }) });
  try {
    const response = await fetch(`${github.apiUrl}${path}`, {
      method,
      dispatcher,
      redirect: "manual",
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === "" ? {} : JSON.parse(text),
    };
  } finally {
    await dispatcher.close();
  }
}

/** The secret that the App's deliveries are signed with. */
export const webhookSecret = "It's a Secret to Everybody";

/** Creates people, an organisation with one repository, and an App that is installed on all its repositories. */
export async function populate(
  github: GitHubStandIn,
  webhookUrl = "",
): Promise<{ installation: number; token: string }> {
  const { people } = github;
  await people.createUser({ login: "ana" });
  await people.createUser({ login: "mallory" });
  await people.createOrg({ login: "acme", members: { ana: "admin" } });
  await people.createRepo({ repo: "acme/shop", files: { "README.md": "# Shop\n", "src/a.txt": "one\ntwo\n" } });
  await people.createApp({ slug: "bellhop", owner: "acme", webhookUrl, webhookSecret });
  const { id } = await people.installApp({ app: "bellhop", on: "acme" });
  return { installation: id, token: await people.createInstallationToken({ installation: id }) };
}

/** Compares the types of all fields that two JSON values have in common; null matches every type. Returns the differences. */
export function contradictions(mine: unknown, other: unknown, path = ""): string[] {
  const [a, b] = [kind(mine), kind(other)];
  if (a === "nothing" || b === "nothing") return [];
  if (a !== b) return [`${path}: ours is ${a}, theirs ${b}`];
  if (Array.isArray(mine) && Array.isArray(other)) return contradictions(mine[0], other[0], `${path}[0]`);
  if (a !== "object") return [];
  const [left, right] = [mine as Record<string, unknown>, other as Record<string, unknown>];
  const shared = Object.keys(left).filter((key) => key in right);
  return shared.flatMap((key) => contradictions(left[key], right[key], `${path}.${key}`));
}

function kind(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  return Array.isArray(value) ? "array" : typeof value;
}
