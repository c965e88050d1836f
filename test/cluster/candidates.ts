import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * The program of a candidate, which runs as a separate process like an operator. It prints a line when it leads, and releases the lease on
 * SIGTERM.
 */
const program = `
  const from = (file) => import(new URL(file, process.env.BASE).href);
  const [{ connect }, { createLeader }, { systemClock }, { silentLogger }] = await Promise.all(
    ["kube/config.ts", "kube/leader.ts", "shared/clock.ts", "shared/log.ts"].map(from));
  const { client } = await connect();
  const leader = createLeader({
    client, namespace: process.env.NAMESPACE, name: "operator", identity: process.env.IDENTITY,
    clock: systemClock, log: silentLogger, onLost: (reason) => { console.log("lost: " + reason); process.exit(1); },
  });
  process.stdin.resume();
  process.on("SIGTERM", () => leader.release().then(() => process.exit(0)));
  console.log("waits");
  await leader.acquire(new AbortController().signal);
  console.log("leads");
`;

/** The lease and the identity of a candidate. */
export interface Candidacy {
  kubeconfigPath: string;
  namespace: string;
  identity: string;
}

/** A process that is a candidate for the Lease `operator` of a namespace. */
export interface Candidate {
  child: ChildProcess;
  /** Resolves when the process has printed `waits` or `leads`. */
  said(word: string): Promise<void>;
  /** Its output so far. */
  lines: string[];
}

/** Starts a candidate; the caller must kill it. */
export function startCandidate({ kubeconfigPath, namespace, identity }: Candidacy): Candidate {
  const env = { ...process.env, KUBECONFIG: kubeconfigPath, NAMESPACE: namespace, IDENTITY: identity };
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    env: { ...env, BASE: new URL("../../src/", import.meta.url).href },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const waiting: { word: string; resolve: () => void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const { word, resolve } of waiting) if (line === word) resolve();
  });
  return {
    child,
    lines,
    said: (word) =>
      lines.includes(word) ? Promise.resolve() : new Promise((resolve) => waiting.push({ word, resolve })),
  };
}
