import { basename, dirname } from "node:path";
import type { IncomingMessage, ServerResponse } from "node:http";
import { actorOf, describeIdentity } from "./auth.ts";
import type { Identity } from "./auth.ts";
import { afterPush, zeroId } from "./actions/push.ts";
import type { GitCall } from "./git/audit.ts";
import { runBackend } from "./git/http-backend.ts";
import { parseCommands, parseWants } from "./git/pkt-line.ts";
import { refsOf } from "./git/repository.ts";
import { canSee, mayDo } from "./rest/access.ts";
import { HttpFailure } from "./rest/failure.ts";
import { findRepository } from "./state/find.ts";
import { fullName } from "./state/repositories.ts";
import type { Repository } from "./state/repositories.ts";
import { atLeast, roleOf } from "./state/roles.ts";
import { mayBypass, refusalOf, rulesetsFor } from "./state/rulesets.ts";
import { timestamp } from "./state/world.ts";
import type { World } from "./state/world.ts";

/** A request of git's smart HTTP protocol. */
export interface GitRequest {
  repository: string;
  rest: string;
  query: URLSearchParams;
  body: Buffer;
  identity: Identity;
  log: GitCall[];
}

const pattern = /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/info\/refs|\/git-upload-pack|\/git-receive-pack)$/;

/** Splits a path of git's smart HTTP protocol into the repository and the rest; undefined for other paths. */
export function parseGitPath(path: string): { repository: string; rest: string } | undefined {
  const found = pattern.exec(path);
  return found ? { repository: `${found[1]}/${found[2]}`, rest: found[3] ?? "" } : undefined;
}

/** Checks access or throws, and answers with `git http-backend`. The effects of a push happen before its answer ends. */
export async function serveGit(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  given: GitRequest,
): Promise<void> {
  const call = newCall(world, request, given);
  given.log.push(call);
  try {
    const repo = admit(world, given, call.service);
    await exchange(world, request, response, { ...given, repo, call });
  } catch (error) {
    call.status = error instanceof HttpFailure ? error.status : 500;
    throw error;
  }
}

function newCall(world: World, request: IncomingMessage, given: GitRequest): GitCall {
  const push = given.rest === "/git-receive-pack" || given.query.get("service") === "git-receive-pack";
  const fetch = given.rest === "/git-upload-pack" ? parseWants(given.body) : { wants: [], filter: null };
  const protocol = request.headers["git-protocol"];
  return {
    at: timestamp(world),
    repository: given.repository,
    service: push ? "git-receive-pack" : "git-upload-pack",
    step: given.rest === "/info/refs" ? "advertise" : "exchange",
    identity: describeIdentity(given.identity),
    permissions: given.identity.kind === "installation" ? given.identity.token.permissions : {},
    status: 0,
    protocol: typeof protocol === "string" ? protocol : "version=0",
    wants: fetch.wants,
    filter: fetch.filter,
    updates: [],
  };
}

/** GitHub asks anonymous clients for credentials, hides repositories that the caller may not see, and says why it refuses a push. */
function admit(world: World, given: GitRequest, service: GitCall["service"]): Repository {
  const { identity } = given;
  const repo = findRepository(world, given.repository);
  const push = service === "git-receive-pack";
  if (identity.kind === "anonymous" && (push || !repo || repo.private)) {
    const headers = { "www-authenticate": 'Basic realm="GitHub"' };
    throw new HttpFailure(401, "Authentication required", { headers });
  }
  if (!repo || !canSee(identity, repo)) throw new HttpFailure(404, "Repository not found.");
  const need = { level: push ? ("write" as const) : ("read" as const), names: ["contents"] };
  if (mayDo(identity, repo, need)) return repo;
  if (!push) throw new HttpFailure(403, "Access to this repository is not granted.");
  const words =
    identity.kind === "installation"
      ? "Write access to repository not granted."
      : `Permission to ${fullName(repo)}.git denied.`;
  throw new HttpFailure(403, words);
}

async function exchange(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  given: GitRequest & { repo: Repository; call: GitCall },
): Promise<void> {
  const { repo, call } = given;
  const commands = given.rest === "/git-receive-pack" ? parseCommands(given.body) : [];
  const before = commands.length > 0 ? await refsOf(repo.dir) : new Map<string, string>();
  const backend = {
    root: dirname(repo.dir),
    repository: basename(repo.dir),
    rest: given.rest,
    query: given.query.toString(),
    body: given.body,
    environment: { ...environment(given.identity, repo), STANDIN_RULES: rulesFor(given.identity, repo, commands) },
  };
  call.status = await runBackend(request, response, backend, async () => {
    const after = commands.length > 0 ? await refsOf(repo.dir) : new Map<string, string>();
    for (const command of commands) {
      const now = after.get(command.ref) ?? zeroId;
      const applied = now === command.new && (before.get(command.ref) ?? zeroId) !== now;
      call.updates.push({ ...command, applied });
      if (!applied) continue;
      const moved = { ref: command.ref, before: command.old, after: command.new };
      await afterPush(world, actorOf(given.identity), repo, moved);
    }
  });
}

/** The refs of a push that a ruleset forbids, one a line: ref, tab, message. */
function rulesFor(identity: Identity, repo: Repository, commands: readonly { ref: string; old: string }[]): string {
  const refused = commands.flatMap(({ ref, old }) => {
    const branch = ref.replace(/^refs\/heads\//, "");
    const binding = rulesetsFor(repo, branch).filter((ruleset) => !mayBypass(identity, ruleset));
    const [message] = binding.flatMap((ruleset) => refusalOf(ruleset, branch, old === zeroId) ?? []);
    return message === undefined ? [] : [`${ref}\t${message}`];
  });
  return refused.join("\n");
}

function environment(identity: Identity, repo: Repository): Record<string, string> {
  const app = identity.kind === "installation";
  const admin = identity.kind === "user" && atLeast(roleOf(identity.user, repo), "admin");
  const workflows = app && identity.token.permissions["workflows"] !== "write" ? "deny" : "allow";
  const guarded = admin ? [] : [...repo.protectedBranches].map((branch) => `refs/heads/${branch}`);
  return {
    REMOTE_USER: identity.kind === "anonymous" ? "" : describeIdentity(identity),
    STANDIN_WORKFLOWS: workflows,
    STANDIN_PROTECTED: guarded.join("\n"),
    STANDIN_SECRETS: repo.secrets.join("\n"),
  };
}
