import { readFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Daemon } from "./daemon.ts";
import type { Credentials } from "./pki.ts";

/** The probe of a daemon: 200 means ready. */
export interface Readiness {
  url: string;
  timeoutMs: number;
  caFile?: string;
  client?: Credentials;
}

/** Resolves when the daemon answers 200. If it ends or takes too long, stops it and rejects with the end of its log. */
export async function readyWhen(daemon: Daemon, readiness: Readiness): Promise<void> {
  const ca = readiness.caFile === undefined ? undefined : await readFile(readiness.caFile, "utf8");
  const deadlineMs = performance.now() + readiness.timeoutMs;
  while (daemon.ending === undefined && performance.now() < deadlineMs) {
    if ((await statusOf(readiness, ca)) === 200) return;
    await Promise.race([daemon.ended, new Promise((resolve) => setTimeout(resolve, 50))]);
  }
  const what = daemon.ending ?? `${daemon.name} was not ready after ${readiness.timeoutMs} ms`;
  await daemon.stop(0);
  throw new Error(`${what}. The end of its log:\n${daemon.tail()}`);
}

/** Sends one GET over a new connection; returns the status, or undefined if there is no answer. */
function statusOf({ url, client }: Readiness, ca: string | undefined): Promise<number | undefined> {
  return new Promise((resolve) => {
    const tls = client && ca ? { ca, cert: client.certificate, key: client.key } : {};
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    const request = send(url, { agent: false, timeout: 2000, ...tls }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.once("timeout", () => request.destroy());
    request.once("error", () => resolve(undefined));
    request.end();
  });
}
