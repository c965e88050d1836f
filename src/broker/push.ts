import type { PublishCommand } from "../api/agent-task-status.ts";
import type { Grant } from "./capability.ts";
import { forward, requireTask, type ForwardDeps, type GitRequest } from "./forward.ts";
import { Refusal } from "./refusal.ts";

/** Maximum size of a command list: one command, and one line for each commit at which a shallow history ends. */
const maxCommandBytes = 262_144;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Dependencies of the routes of a push. */
export interface PushDeps extends ForwardDeps {
  /** Maximum size of a push, in bytes. */
  maxPushBytes: number;
}

/** Handles `GET …/info/refs?service=git-receive-pack`: forwards the first request of a push, if the operator has allowed a push. */
export async function announcePush(deps: PushDeps, git: GitRequest): Promise<void> {
  requireCourierScope(git.grant);
  const task = await requireTask(deps, git);
  if (!task.status?.publish) throw notPublished();
  await forward(deps, git, { access: "push", path: "info/refs?service=git-receive-pack" });
}

/**
 * Handles `POST …/git-receive-pack`: forwards exactly the push in `status.publish`. The task is read live before the first byte is sent and
 * again before the last bytes, so that a task that is stopped during a long push pushes nothing.
 */
export async function receivePack(deps: PushDeps, git: GitRequest): Promise<void> {
  requireCourierScope(git.grant);
  requireSize(Number(git.request.headers["content-length"] ?? 0), deps.maxPushBytes);
  if (git.request.headers["content-encoding"] !== undefined)
    throw new Refusal(
      415,
      "MalformedPush",
      "the broker accepts only uncompressed pushes; send it without Content-Encoding",
    );
  // The stream must stay open after reading, because a push that is refused before its end still gets an answer.
  const push = await openPush(git.request.iterator({ destroyOnReturn: false }), deps.maxPushBytes);
  const requireAllowed = async (): Promise<void> => {
    const task = await requireTask(deps, git);
    // Before a large push, git sends an empty command list to check the authentication.
    if (push.commands.length > 0) requireCommand(push.commands, task.status?.publish);
    else if (!task.status?.publish) throw notPublished();
  };
  await requireAllowed();
  deps.log.info({ ...nameOf(git.grant), commands: push.commands }, "push allowed");
  const body = push.commands.length > 0 ? withholdEnd(push, requireAllowed) : probe();
  await forward(deps, git, { access: "push", path: "git-receive-pack", body });
}

function requireCourierScope(grant: Grant): void {
  if (grant.scope === "courier") return;
  throw new Refusal(
    403,
    "CourierOnly",
    "agents cannot push; your changes in the workspace are committed and published for you",
  );
}

function nameOf({ namespace, task }: Grant): { namespace: string; task: string } {
  return { namespace, task };
}

/** The body of git's probe: an empty command list. */
async function* probe(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("0000");
}

/** A push that is being received: the bytes read so far, the ref updates in them, and the rest of the body. */
interface PushBody {
  head: Buffer;
  commands: RefUpdate[];
  rest: AsyncIterator<Buffer>;
}

/** Reads a push up to the end of its command list and leaves the rest unread. Throws `Refusal` if it is not a push or exceeds `maxBytes`. */
async function openPush(request: AsyncIterable<Buffer>, maxBytes: number): Promise<PushBody> {
  const rest = limited(request, maxBytes);
  let head = Buffer.alloc(0);
  for (;;) {
    const next = await rest.next();
    if (next.done)
      throw new Refusal(400, "MalformedPush", "the request ended before its list of ref updates was complete");
    head = Buffer.concat([head, next.value]);
    const commands = readCommands(head);
    if (commands) return { head, commands, rest };
  }
}

/** Yields the whole push, but the last bytes only if `requireAllowed` does not throw. Without the last bytes the code host has no complete push. */
async function* withholdEnd(
  { head, rest }: PushBody,
  requireAllowed: () => Promise<unknown>,
): AsyncGenerator<Uint8Array> {
  let held = head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) {
    yield held;
    held = next.value;
  }
  await requireAllowed();
  yield held;
}

/** Throws `Refusal` if the declared size of a push exceeds the limit. */
function requireSize(declared: number, maxBytes: number): void {
  if (declared > maxBytes) throw tooLarge(maxBytes);
}

async function* limited(request: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    requireSize(bytes, maxBytes);
    yield chunk;
  }
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal(413, "PushTooLarge", `the push exceeds the maximum of ${maxBytes} bytes`);
}

/** A ref update, as a git client requests it from receive-pack. */
export interface RefUpdate {
  oldId: string;
  newId: string;
  ref: string;
}

/** Throws `Refusal` unless the commands are exactly the push that the operator allowed. */
export function requireCommand(commands: readonly RefUpdate[], allowed: PublishCommand | undefined): void {
  if (!allowed) throw notPublished();
  const [only, ...more] = commands;
  const zero = "0".repeat(allowed.newId.length);
  const same =
    only && only.ref === allowed.ref && only.newId === allowed.newId && only.oldId === (allowed.oldId ?? zero);
  if (!same || more.length > 0) {
    const asked = commands.map(({ ref, oldId, newId }) => `${ref} from ${oldId} to ${newId}`).join(", ");
    throw new Refusal(
      403,
      "WrongPush",
      `the operator allowed only the push of ${allowed.ref} from ${allowed.oldId ?? "nothing"} to ${allowed.newId}; the request asks for: ${asked || "nothing"}`,
    );
  }
}

/** The refusal of a push that the operator has not allowed yet. */
function notPublished(): Refusal {
  return new Refusal(
    403,
    "NotPublished",
    "the operator has not allowed a push for this task yet; wait until status.publish is set",
  );
}

/**
 * Reads the command list at the head of a receive-pack request (pkt-lines up to the first flush packet), or undefined while more bytes
 * are needed. Throws `Refusal` for any other input. Source: gitprotocol-pack(5), "Reference Update Request".
 */
export function readCommands(bytes: Buffer): RefUpdate[] | undefined {
  const commands: RefUpdate[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = packetLength(bytes, at);
    if (length === 0) return commands;
    if (at + length > bytes.length) return needMore(bytes);
    const line = lineOf(bytes.subarray(at + 4, at + length));
    // A line that marks an end of the courier's shallow history. The code host checks it itself.
    if (!/^shallow [0-9a-f]+\n?$/.test(line)) commands.push(readCommand(line));
    at += length;
  }
  return needMore(bytes);
}

function packetLength(bytes: Buffer, at: number): number {
  const digits = bytes.toString("latin1", at, at + 4);
  const length = Number.parseInt(digits, 16);
  if (!/^[0-9a-f]{4}$/i.test(digits) || (length > 0 && length < 4)) {
    throw new Refusal(400, "MalformedPush", "the request is not a git receive-pack request");
  }
  return length;
}

function needMore(bytes: Buffer): undefined {
  if (bytes.length > maxCommandBytes) throw new Refusal(413, "MalformedPush", "the list of ref updates is too long");
  return undefined;
}

/** Decodes strictly. After a lenient decoding, the compared ref could differ from the forwarded bytes. */
function lineOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Refusal(400, "MalformedPush", "the list of ref updates is not UTF-8");
  }
}

function readCommand(line: string): RefUpdate {
  const [command = "", capabilities = ""] = line.split("\0");
  const match = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (refs\/[^\s]+)\n?$/.exec(command);
  if (!match?.[1] || !match[2] || !match[3]) {
    throw new Refusal(403, "MalformedPush", "only plain ref updates may be pushed, without push certificates");
  }
  // With push options a code host can open, approve or merge changes, which the operator has not allowed.
  if (/(?:^|\s)push-options(?:\s|$)/.test(capabilities)) {
    throw new Refusal(403, "MalformedPush", "the broker accepts only pushes without push options");
  }
  return { oldId: match[1], newId: match[2], ref: match[3] };
}
