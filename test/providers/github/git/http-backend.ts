import { spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { gitEnvironment } from "./run.ts";

/** One call of `git http-backend`. */
export interface BackendCall {
  /** Parent folder of the repository, and the name of the repository's folder in it. */
  root: string;
  repository: string;
  /** The path after the repository: `/info/refs`, `/git-upload-pack`, `/git-receive-pack`. */
  rest: string;
  query: string;
  body: Buffer;
  /** Environment for the pre-receive hook, and `REMOTE_USER`. */
  environment: Record<string, string>;
}

/** Runs the CGI program and sends its answer. The end of the answer waits for `beforeEnd`, so that a push ends after its effects. */
export async function runBackend(
  request: IncomingMessage,
  response: ServerResponse,
  call: BackendCall,
  beforeEnd: () => Promise<void>,
): Promise<number> {
  const child = spawn("git", ["http-backend"], { env: environment(request, call), stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => {});
  child.stderr.resume();
  response.on("close", () => child.kill());
  child.stdin.end(call.body);
  let status = 0;
  let head = Buffer.alloc(0);
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (status !== 0) {
      response.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const split = head.indexOf("\r\n\r\n");
    if (split === -1) continue;
    status = writeHead(response, head.subarray(0, split).toString("latin1"));
    response.write(head.subarray(split + 4));
  }
  await beforeEnd();
  if (status === 0) response.writeHead(500);
  response.end();
  return status || 500;
}

function environment(request: IncomingMessage, call: BackendCall): Record<string, string> {
  const header = (name: string): string => {
    const value = request.headers[name];
    return typeof value === "string" ? value : "";
  };
  return {
    ...gitEnvironment(),
    ...call.environment,
    GIT_PROJECT_ROOT: call.root,
    GIT_HTTP_EXPORT_ALL: "1",
    PATH_INFO: `/${call.repository}${call.rest}`,
    QUERY_STRING: call.query,
    REQUEST_METHOD: request.method ?? "GET",
    CONTENT_TYPE: header("content-type"),
    CONTENT_LENGTH: String(call.body.length),
    HTTP_CONTENT_ENCODING: header("content-encoding"),
    GIT_PROTOCOL: header("git-protocol"),
    REMOTE_ADDR: "127.0.0.1",
  };
}

function writeHead(response: ServerResponse, text: string): number {
  const lines = text.split("\r\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]);
  const status = Number.parseInt(lines.find(([name]) => name === "Status")?.[1] ?? "200", 10);
  const headers = lines.filter(([name]) => name !== "Status" && name !== "");
  response.writeHead(status, Object.fromEntries(headers));
  return status;
}
