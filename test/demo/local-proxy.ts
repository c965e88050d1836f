import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tool } from "../cluster/node/tools.ts";
import { until } from "../cluster/node/wait.ts";
import { apiBehind, type Api } from "./api.ts";

/** Starts a separate `kubectl proxy` with these arguments, and returns the API behind it; `close` ends both. */
export async function localProxy(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Api> {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-demo-"));
  const socket = join(folder, "api.sock");
  const proxy = spawn(tool("kubectl"), [...args, "proxy", `--unix-socket=${socket}`], { env, stdio: "ignore" });
  let ended = false;
  proxy.once("close", () => (ended = true)).once("error", () => (ended = true));
  const behind = apiBehind(socket);
  const close = async (): Promise<void> => {
    proxy.kill("SIGKILL");
    await behind.close();
    await until(() => ended, { what: "the end of kubectl proxy", timeoutMs: 10_000 });
    rmSync(folder, { recursive: true, force: true });
  };
  const answers = (): Promise<boolean> => behind.get("/version").then(Boolean, () => false);
  try {
    await until(answers, { what: "kubectl proxy", timeoutMs: 20_000 });
  } catch (error) {
    await close();
    throw error;
  }
  return { get: (path) => behind.get(path), close };
}
