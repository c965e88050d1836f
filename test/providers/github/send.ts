import { request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { rootCertificates } from "node:tls";
import type { Clock } from "../../../src/shared/clock.ts";

/** One POST to a receiver. */
export interface Post {
  url: string;
  headers: Record<string, string>;
  body: string;
  timeoutMs: number;
  /** Whether the receiver's certificate must be trusted. */
  verify: boolean;
  ca: string | undefined;
}

/** The result of a POST; `code` is undefined if there was no answer. */
export interface PostOutcome {
  code: number | undefined;
  status: string;
  headers: Record<string, string>;
  body: string;
}

const noAnswer = { headers: {}, body: "" };

/** Sends one POST without following redirects. Never rejects: an error becomes the status, with GitHub's message. */
export function send(clock: Clock, post: Post): Promise<PostOutcome> {
  return new Promise((resolve) => {
    const failed = (status: string, code?: number): void => resolve({ ...noAnswer, status, code });
    let request: ClientRequest;
    try {
      request = open(post);
    } catch {
      failed("failed to connect to host");
      return;
    }
    const cancel = clock.after(post.timeoutMs, () => {
      failed("timed out", 504);
      request.destroy();
    });
    request.on("close", cancel);
    request.on("error", () => failed("failed to connect to host"));
    request.on("response", (response) => {
      collect(response).then(resolve, () => failed("failed to connect to host"));
    });
    request.end(post.body);
  });
}

function open(post: Post): ClientRequest {
  const headers = { ...post.headers, "content-length": String(Buffer.byteLength(post.body)) };
  if (!post.url.startsWith("https:")) return httpRequest(post.url, { method: "POST", headers, agent: false });
  const trust = post.ca === undefined ? {} : { ca: [...rootCertificates, post.ca] };
  const options = { method: "POST", headers, agent: false as const, rejectUnauthorized: post.verify, ...trust };
  return httpsRequest(post.url, options);
}

async function collect(response: IncomingMessage): Promise<PostOutcome> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  const code = response.statusCode ?? 0;
  const ok = code >= 200 && code < 400;
  const headers = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]);
  return {
    code,
    status: ok ? "OK" : `Invalid HTTP Response: ${code}`,
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks)
      .toString()
      .slice(0, 64 * 1024),
  };
}
