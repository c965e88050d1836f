import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

const script = join(import.meta.dirname, "build.sh");
const keptLines = 25;

/** A callback for the progress of a build, and the signal that ends it. */
export interface BuildOptions {
  /** Called repeatedly with the current state of the build. */
  now?: (doing: string) => void;
  /** Aborts a build. */
  signal?: AbortSignal;
}

/** The build in the cache, or undefined. */
export async function builtDaemons(): Promise<string | undefined> {
  const { code, folder } = await runScript(["--cached"], {});
  return code === 0 ? folder : undefined;
}

/** Builds all daemons, or waits for the process that builds them: about 11 minutes on two cores. Returns their folder. */
export async function buildDaemons(options: BuildOptions): Promise<string> {
  const { code, folder, said } = await runScript([], options);
  if (code === 0 && folder !== "") return folder;
  throw new Error(`the Kubernetes daemons could not be built:\n${said.join("\n")}`);
}

interface Outcome {
  code: number | null;
  folder: string;
  /** The last lines of the build's output, without progress lines. */
  said: string[];
}

/** The build prints the folder on standard output. On standard error, lines of progress begin with `progress: `. */
function runScript(args: string[], { now, signal }: BuildOptions): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    const end = (): void => void child.kill("SIGTERM");
    signal?.addEventListener("abort", end, { once: true });
    let output = "";
    const said: string[] = [];
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    createInterface({ input: child.stderr }).on("line", (line) => {
      const doing = /^progress: (.*)/.exec(line)?.[1];
      if (doing !== undefined) now?.(doing);
      else if (said.push(line) > keptLines) said.shift();
    });
    child.once("error", (error) => reject(new Error(`could not run ${script}`, { cause: error })));
    child.once("close", (code) => {
      signal?.removeEventListener("abort", end);
      resolve({ code, folder: output.trim().split("\n").at(-1) ?? "", said });
    });
  });
}
