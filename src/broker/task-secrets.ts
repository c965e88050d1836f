import { z } from "zod";
import { secrets } from "../kube/resources.ts";
import type { KubeClient } from "../kube/types.ts";
import { secretRegistry } from "../shared/redact.ts";
import { Refusal } from "./refusal.ts";

/** A git credential, as the operator stores it in the Secret `task-<uid>` in the broker's namespace. */
const credential = z.object({ username: z.string(), password: z.string(), expiresAt: z.string(), cloneURL: z.url() });
export type TaskCredential = z.infer<typeof credential>;

/** Reads the credential of a task: `fetch` exists while the task runs, `push` only after the operator has allowed the push. Never cached. */
export async function taskCredential(
  deps: { client: KubeClient; namespace: string },
  taskUID: string,
  access: "fetch" | "push",
  signal: AbortSignal,
): Promise<TaskCredential> {
  const secret = await deps.client.find(secrets, { namespace: deps.namespace, name: `task-${taskUID}` }, signal);
  const data = secret?.data?.[`${access}.json`];
  if (data === undefined) {
    throw new Refusal(
      503,
      "NoCredential",
      `the operator has not stored a ${access} credential for this task yet; try again in a moment`,
    );
  }
  const found = credential.parse(JSON.parse(Buffer.from(data, "base64").toString()));
  secretRegistry.add(found.password);
  return found;
}
