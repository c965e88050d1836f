import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** The result of a command. `stdout` and `stderr` contain at most the last 4 MiB of each. */
export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Options of a command. */
export interface RunOptions {
  /** Text for its standard input, which is then closed. */
  input?: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Time limit after which the command is killed. Default: 120,000. */
  timeoutMs?: number;
  /** Called with each line of output as soon as it is printed. */
  onLine?: (line: string) => void;
}

const keepBytes = 4 * 1024 * 1024;

/** Runs a command and returns its result for any exit code. Throws only if the command cannot be started. */
export function tryRun(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [command = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: "pipe" });
    const out = collect(child.stdout, options.onLine);
    const err = collect(child.stderr, options.onLine);
    const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 120_000);
    child.once("error", (cause) => {
      clearTimeout(timer);
      reject(new Error(`${command} could not be started: ${cause.message}`, { cause }));
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      const note = signal === null ? "" : `\n(ended by ${signal})`;
      resolve({ code: code ?? 128, stdout: out(), stderr: err() + note });
    });
    child.stdin.on("error", () => {}); // If a command ends without reading its input, its exit code is the result.
    child.stdin.end(options.input ?? "");
  });
}

/** Runs a command and returns its standard output. If it fails, throws with the end of its output. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await tryRun(argv, options);
  if (result.code === 0) return result.stdout;
  const said = tail(`${result.stdout}\n${result.stderr}`, 30);
  throw new Error(`\`${argv.join(" ").slice(0, 200)}\` ended with ${result.code}:\n${said}`);
}

/** The last `lines` non-empty lines of a text. */
export function tail(text: string, lines: number): string {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-lines)
    .join("\n");
}

/** The end of a log file, for an error message; a remark if there is no log. */
export function tailOfFile(path: string, lines = 20): string {
  try {
    return tail(readFileSync(path, "utf8"), lines);
  } catch {
    return `(no log at ${path})`;
  }
}

function collect(stream: NodeJS.ReadableStream, onLine?: (line: string) => void): () => string {
  let text = "";
  let partial = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    text = (text + chunk).slice(-keepBytes);
    if (!onLine) return;
    const lines = (partial + chunk).split("\n");
    partial = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
  return () => text;
}
