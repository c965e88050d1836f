import { run } from "../run.ts";
import type { Rendered } from "./render.ts";
import { entryChain, restoreText } from "./render.ts";

/** Writes rendered rules into the kernel, for the network namespace of this process. */
export interface Kernel {
  /** Creates new sets, then replaces all chains at once, then removes unused sets. */
  apply(rendered: Rendered): Promise<void>;
}

/** Creates the writer. It remembers the applied rules, because nothing else changes its chains and sets. */
export function createKernel(): Kernel {
  let sets = new Set<string>();
  let chains = new Set<string>();
  let hooked = false;
  let text = "";
  return {
    async apply(rendered) {
      const next = restoreText(rendered.chains, chains);
      if (next === text) return;
      await createSets(new Map([...rendered.sets].filter(([name]) => !sets.has(name))));
      sets = new Set([...sets, ...rendered.sets.keys()]);
      await run(["iptables-restore", "--noflush", "--wait", "5"], { input: next });
      text = restoreText(rendered.chains, rendered.chains.keys());
      chains = new Set(rendered.chains.keys());
      if (!hooked) await hook();
      hooked = true;
      const unused = [...sets].filter((name) => !rendered.sets.has(name));
      await restoreSets(unused.map((name) => `destroy ${name}`));
      sets = new Set(rendered.sets.keys());
    },
  };
}

/** Packets from a pod to the node itself pass through INPUT. Packets from the node, such as probes, pass through neither chain. */
async function hook(): Promise<void> {
  for (const chain of ["FORWARD", "INPUT"]) {
    await run(["iptables", "--wait", "5", "--table", "mangle", "--insert", chain, "--jump", entryChain]);
  }
}

async function createSets(sets: Rendered["sets"]): Promise<void> {
  const lines = [...sets].flatMap(([name, members]) => [
    `create ${name} hash:net family inet`,
    ...members.map((member) => `add ${name} ${member}`),
  ]);
  await restoreSets(lines);
}

async function restoreSets(lines: string[]): Promise<void> {
  if (lines.length > 0) await run(["ipset", "-exist", "restore"], { input: `${lines.join("\n")}\n` });
}
