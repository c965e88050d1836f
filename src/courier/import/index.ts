import path from "node:path";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import type { Places } from "../settings.ts";
import type { GitOptions } from "../git/run.ts";
import { forPeople, type RawPath } from "../raw-path.ts";
import { loadRefused } from "../checkout/write-worktree.ts";
import { baseTree, type BaseTree, ignoreOracle } from "./base-tree.ts";
import { breather, contentOf, differs, type Content } from "./compare.ts";
import { changedMeanwhile, type Visited, walk } from "./walk.ts";
import {
  type Change,
  changedPaths,
  commitMessage,
  objectWriter,
  type ObjectWriter,
  patchBytes,
} from "./write-commit.ts";
import { defined } from "../../shared/defined.ts";

/** Result of an import. */
export type Imported =
  | { result: "NoChanges"; skipped: string[] }
  /** More than the policy can allow; nothing was written. */
  | { result: "TooMuch"; paths: string[]; newBytes: number; skipped: string[]; why: string }
  | { result: "Committed"; commit: string; paths: string[]; patchBytes: number; skipped: string[] };

/** Inputs of an import. */
export type ImportRequest = Pick<SandboxSpec, "checkout" | "commit" | "output"> & { summary: string | undefined };

/**
 * Turns the workspace into a commit on the base: tracked paths whose bytes or mode differ, and others unless the base's `.gitignore` files
 * ignore them. The same workspace and request give the same commit id. Call it only once the agent's processes are gone; even if they are
 * not, nothing outside the workspace can be read. Throws `WorkspaceUnreadable`.
 */
export async function importWorkspace(
  places: Pick<Places, "workspace" | "courier" | "repository">,
  request: ImportRequest,
): Promise<Imported> {
  const own: GitOptions = { gitDir: places.repository };
  const base = await baseTree(request.checkout.headSHA, loadRefused(places.courier), own);
  const gathering = gatherer(base, objectWriter(own), request.output.maxPatchKiB * 1024);
  const ignore = await ignoreOracle(path.join(places.courier, "ignore"), base, own);
  try {
    await walk(places.workspace, { base, ignore, visit: gathering.visit, skip: gathering.skip });
  } finally {
    await ignore.close();
  }
  return finish(gathering, base, request, own);
}

interface Gathering {
  visit: (entry: Visited) => Promise<void>;
  skip: (path: RawPath, why: string) => void;
  /** Tracked paths that still have something in their place. */
  present: Set<RawPath>;
  changes: Change[];
  changedPaths: RawPath[];
  skipped: string[];
  newBytes: number;
  tooMuch: string | undefined;
  writer: ObjectWriter;
}

/** The most one changed file may hold: what the hosts take. */
const maxFileBytes = 100 * 1024 * 1024;
/** The most all changed files may hold, whatever the policy says: the courier's own volume has an end. */
const maxStoredBytes = 512 * 1024 * 1024;

function gatherer(base: BaseTree, writer: ObjectWriter, maxNewBytes: number): Gathering {
  let storedBytes = 0;
  const breathe = breather();
  const gathering: Gathering = {
    present: new Set(),
    changes: [],
    changedPaths: [],
    skipped: [],
    newBytes: 0,
    tooMuch: undefined,
    writer,
    skip(path, why) {
      gathering.present.add(path);
      gathering.skipped.push(`${forPeople(path)}: ${why}`);
    },
    async visit(entry) {
      const content = contentOf(entry);
      if (content === undefined) throw changedMeanwhile(entry.path);
      try {
        await take(entry.path, content);
      } finally {
        content.close();
      }
    },
  };

  async function take(path: RawPath, content: Content): Promise<void> {
    const tracked = base.files.get(path);
    gathering.present.add(path);
    if (!(await differs(content, tracked, breathe))) return;
    gathering.changedPaths.push(path);
    storedBytes += content.size;
    if (tracked === undefined) gathering.newBytes += content.size;
    gathering.tooMuch ??= excess(path, content.size);
    // Changes that cannot be published are counted, not stored.
    if (gathering.tooMuch !== undefined) return;
    const mark = await writer.blob(content.size, content.chunks());
    gathering.changes.push({ path, mode: content.mode, mark });
  }

  function excess(path: RawPath, size: number): string | undefined {
    if (size > maxFileBytes)
      return `${forPeople(path)} has ${mebibytes(size)} MiB, ${mebibytes(maxFileBytes)} MiB are allowed for a file`;
    if (gathering.newBytes > maxNewBytes)
      return `more than ${maxNewBytes / 1024} KiB in new files, which is all that is allowed`;
    if (storedBytes > maxStoredBytes) return `more than ${mebibytes(maxStoredBytes)} MiB in changed files`;
    return undefined;
  }
  return gathering;
}

const mebibytes = (bytes: number): number => Math.ceil(bytes / 1024 / 1024);

async function finish(
  gathering: Gathering,
  base: BaseTree,
  request: ImportRequest,
  own: GitOptions,
): Promise<Imported> {
  const { skipped, writer } = gathering;
  const deleted = [...base.files.keys()].filter((path) => !gathering.present.has(path));
  const changes = [...gathering.changes, ...deleted.map((path) => ({ path, deleted: true as const }))];
  if (gathering.tooMuch !== undefined) {
    await writer.abandon();
    const paths = [...gathering.changedPaths, ...deleted].sort().map(decoded);
    return { result: "TooMuch", paths, newBytes: gathering.newBytes, skipped, why: gathering.tooMuch };
  }
  if (changes.length === 0) return { result: "NoChanges", skipped };
  const parent = request.checkout.headSHA;
  const commit = await writer.commit({
    ...defined({ parent }),
    author: request.commit.author,
    date: new Date(request.commit.date),
    message: commitMessage(request.commit, request.summary),
    changes: changes.sort((a, b) => (a.path < b.path ? -1 : 1)),
  });
  const paths = (await changedPaths(parent, commit, own)).map(decoded);
  return { result: "Committed", commit, paths, patchBytes: await patchBytes(parent, commit, own), skipped };
}

function decoded(path: RawPath): string {
  return Buffer.from(path, "latin1").toString("utf8");
}
