import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A process of its own, as an operator is: it says when it leads, and gives the lease back on SIGTERM. */
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

/** Where a candidate stands for election, and as who. */
export interface Candidacy {
  kubeconfigPath: string;
  namespace: string;
  identity: string;
}

/** A process that stands for the Lease `operator` of a namespace. */
export interface Candidate {
  child: ChildProcess;
  /** Resolves when the process has said `waits` or `leads`. */
  said(word: string): Promise<void>;
  /** Everything it has said. */
  lines: string[];
}

/** Starts one; whoever starts it kills it. */
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
