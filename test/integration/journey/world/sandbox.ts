import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentTask } from "../../../../src/api/kinds.ts";
import { eventually } from "../../../cluster/namespace.ts";
import type { World } from "./index.ts";

/** Folders of a task's pods on the process node, the newest last. They are removed when the pod ends. */
export function podFolders({ node }: World, task: AgentTask): string[] {
  return (task.status?.attempts ?? []).flatMap(({ podUID }) => (podUID ? [join(node.folder, "pods", podUID)] : []));
}

/** Waits until an agent of `gated.sh` works, and returns its process id. */
export function agentOf(world: World, task: AgentTask): Promise<number> {
  const pattern = (folder: string): string => join(folder, "volumes", "*", "output.log");
  const probe = (): number | undefined => {
    const outputs = globSync(podFolders(world, task).map(pattern)).map((path) => readFileSync(path, "utf8"));
    const pid = /^pid (\d+)$/m.exec(outputs.join("\n"))?.[1];
    return pid === undefined ? undefined : Number(pid);
  };
  return eventually(probe, { describe: `the agent of ${task.metadata.name} to work`, timeoutMs: 90_000 });
}

/** Waits until the courier of one of a task's pods has logged a line with this message. */
export async function courierSaid({ node }: World, task: AgentTask, message: string): Promise<void> {
  const name = `${task.metadata.namespace}_${task.metadata.name}-sandbox-*`;
  const logs = (): string[] => globSync(join(node.folder, "logs", name, "courier.log"));
  await eventually(() => logs().some((path) => readFileSync(path, "utf8").includes(`"message":"${message}"`)), {
    describe: `the courier of ${task.metadata.name} to say "${message}"`,
    timeoutMs: 90_000,
  });
}

/** The environment that a process was started with. */
export function environmentOf(pid: number): string {
  return readFileSync(`/proc/${pid}/environ`, "utf8").replaceAll("\0", "\n");
}
