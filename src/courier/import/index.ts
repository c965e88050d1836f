import path from "node:path";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import type { Places } from "../settings.ts";
import type { GitOptions } from "../git/run.ts";
import { forPeople, type RawPath } from "../raw-path.ts";
import { loadRefused } from "../checkout/write-worktree.ts";
import { baseTree, type BaseTree, ignoreOracle } from "./base-tree.ts";
import { yielder, contentOf, differs, type Content } from "./compare.ts";
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
  /** The changes are larger than the output policy or the courier allows. No commit was written. */
  | { result: "TooMuch"; paths: string[]; newBytes: number; skipped: string[]; why: string }
  | { result: "Committed"; commit: string; paths: string[]; patchBytes: number; skipped: string[] };

/** Inputs of an import. */
export type ImportRequest = Pick<SandboxSpec, "checkout" | "commit" | "output"> & { summary: string | undefined };

/**
 * Writes a commit on the base with the changes in the workspace: tracked paths whose bytes or mode differ, and untracked paths that the base's
 * `.gitignore` files do not ignore. The same workspace and request give the same commit id. Call it only after the agent's processes have
 * ended; if one still runs, it cannot make the import read files outside the workspace. Throws `WorkspaceUnreadable`.
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
  /** Paths at which the workspace has an entry. Every other tracked path was deleted. */
  present: Set<RawPath>;
  changes: Change[];
  changedPaths: RawPath[];
  skipped: string[];
  newBytes: number;
  tooMuch: string | undefined;
  writer: ObjectWriter;
}

/** Maximum size of one changed file: code hosts accept no larger ones. */
const maxFileBytes = 100 * 1024 * 1024;
/** Maximum size of all changed files together, whatever the output policy allows, because the courier's volume is limited. */
const maxStoredBytes = 512 * 1024 * 1024;

function gatherer(base: BaseTree, writer: ObjectWriter, maxNewBytes: number): Gathering {
  let storedBytes = 0;
  const yieldAfter = yielder();
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
    if (!(await differs(content, tracked, yieldAfter))) return;
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
      return `${forPeople(path)} has ${mebibytes(size)} MiB; a file may have at most ${mebibytes(maxFileBytes)} MiB`;
    if (gathering.newBytes > maxNewBytes) return `the new files have more than the allowed ${maxNewBytes / 1024} KiB`;
    if (storedBytes > maxStoredBytes) return `the changed files have more than ${mebibytes(maxStoredBytes)} MiB`;
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
