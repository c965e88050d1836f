/** The provider at which the demo's request is made. */
export type Source = "github" | "slack";

const sources: readonly string[] = ["github", "slack"] satisfies Source[];

/** Reads `FROM`; throws a message of one line if the demo cannot start from there. */
export function sourceOf(env: NodeJS.ProcessEnv): Source {
  const from = env["FROM"] ?? "";
  if (from === "") return "github";
  if (!isSource(from)) throw new Error(`there is no demo FROM=${from}: use FROM=github or FROM=slack`);
  if (from === "slack" && (env["CONTEXT"] ?? "") !== "")
    throw new Error("the demo FROM=slack starts a cluster of its own: leave CONTEXT out, or use FROM=github");
  return from;
}

function isSource(from: string): from is Source {
  return sources.includes(from);
}
