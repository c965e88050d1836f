import { rm } from "node:fs/promises";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import { git, type Remote } from "../git/run.ts";
import { type Broker, isRetryable, persistently, type Patience } from "../broker.ts";

/** Number of commits that are fetched. The agent can fetch more through the broker (`git fetch --deepen`). */
const depth = 50;

/** Refs in the courier's own repository. */
export const ownRefs = { base: "refs/bellhop/base", baseRef: "refs/bellhop/base-ref" } as const;

/** Dependencies of `fetchBase`. */
export interface FetchDeps {
  gitDir: string;
  broker: Pick<Broker, "withRemote">;
  patience: Patience;
}

/**
 * Recreates the courier's own bare repository, and fetches the commit to start from and the target branch of the change. A target branch that
 * does not exist is no failure, because it may have been deleted. Nothing is fetched if the repository is empty.
 */
export async function fetchBase(
  checkout: SandboxSpec["checkout"],
  deps: FetchDeps,
): Promise<{ baseRefFetched: boolean }> {
  await rm(deps.gitDir, { recursive: true, force: true });
  const format = checkout.headSHA?.length === 64 ? "sha256" : "sha1";
  await git(["init", "--quiet", "--bare", "--template=", `--object-format=${format}`, deps.gitDir], {
    gitDir: deps.gitDir,
  });
  if (checkout.headSHA === undefined) return { baseRefFetched: false };
  await fetchOne(`+${checkout.headSHA}:${ownRefs.base}`, deps);
  return { baseRefFetched: await fetchBaseRef(checkout.baseRef, deps) };
}

async function fetchBaseRef(baseRef: string | undefined, deps: FetchDeps): Promise<boolean> {
  if (baseRef === undefined) return false;
  try {
    await fetchOne(`+refs/heads/${branchName(baseRef)}:${ownRefs.baseRef}`, deps);
    return true;
  } catch (error) {
    if (isRetryable(error)) throw error;
    return false;
  }
}

/** The branch name in a ref: `main` for `refs/heads/main` and for `main`. */
export function branchName(ref: string): string {
  return ref.replace(/^refs\/heads\//, "");
}

async function fetchOne(refspec: string, deps: FetchDeps): Promise<void> {
  const args = [
    "fetch",
    "--quiet",
    "--no-tags",
    `--depth=${depth}`,
    "--no-write-fetch-head",
    "--no-recurse-submodules",
  ];
  const fetch = (remote: Remote): Promise<Buffer> =>
    git([...args, "--end-of-options", remote.url, refspec], { gitDir: deps.gitDir, remote });
  await persistently(() => deps.broker.withRemote(fetch), deps.patience);
}
