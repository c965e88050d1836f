import { spawn } from "node:child_process";

/** The result of a git command. */
export interface GitOutput {
  code: number;
  stdout: Buffer;
  stderr: string;
}

/** Environment for git without the configuration of the machine and without prompts. */
export function gitEnvironment(): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    LC_ALL: "C",
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
  };
}

/** Runs git in `dir` and returns its output for any exit code. */
export function tryGit(dir: string, args: string[], input?: string | Buffer): Promise<GitOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", args, { cwd: dir, env: gitEnvironment(), stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.once("error", reject);
    child.once("close", (code) =>
      resolve({ code: code ?? -1, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }),
    );
    // If a command ends without reading all of its input, stderr has the reason.
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
  });
}

/** Runs git in `dir` and returns its standard output without the last newline. Throws if git fails. */
export async function git(dir: string, args: string[], input?: string | Buffer): Promise<string> {
  const { code, stdout, stderr } = await tryGit(dir, args, input);
  if (code !== 0) throw new Error(`git ${args.join(" ")} failed with code ${code} in ${dir}: ${stderr.trim()}`);
  return stdout.toString().replace(/\n$/, "");
}
