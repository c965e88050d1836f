import type { Readable } from "node:stream";
import type { Clock } from "../shared/clock.ts";
import { describeError } from "../shared/errors.ts";
import { InFlight } from "../shared/in-flight.ts";
import type { Grant } from "./capability.ts";
import { forward, requireTask, type ForwardDeps, type GitRequest } from "./forward.ts";
import { Refusal } from "./refusal.ts";

const MiB = 1024 * 1024;
/** Time-out from the first byte of a body to the last. */
const bodyTimeoutMs = 30_000;

/** Limits of concurrent fetches: for each sandbox (separately for its courier and its agent), and in total. */
export const fetchLimits = { requestsPerKey: 4, requests: 256, bytesPerKey: 8 * MiB, bytes: 128 * MiB };

/** Dependencies of the routes of a fetch. */
export interface FetchDeps extends ForwardDeps {
  clock: Clock;
  fetches: FetchBounds;
}

/** Handles `GET …/info/refs?service=git-upload-pack`: forwards the first request of a fetch. */
export async function announceFetch(deps: FetchDeps, git: GitRequest): Promise<void> {
  return forwardFetch(deps, git, "info/refs?service=git-upload-pack");
}

/** Handles `POST …/git-upload-pack`: forwards a fetch. */
export async function uploadPack(deps: FetchDeps, git: GitRequest): Promise<void> {
  return forwardFetch(deps, git, "git-upload-pack");
}

/** Forwards a fetch after its whole body was received: a slow or broken request of an agent must not count as a failure of the code host. */
async function forwardFetch(deps: FetchDeps, git: GitRequest, path: string): Promise<void> {
  await requireTask(deps, git);
  const ticket = deps.fetches.enter(git.grant);
  try {
    const hasBody = git.request.method === "POST";
    const body = hasBody ? { body: await wholeBody(git.request, deps.clock, (bytes) => ticket.hold(bytes)) } : {};
    await forward(deps, git, { access: "fetch", path, ...body });
  } finally {
    ticket.leave();
  }
}

/** Limits concurrent fetches, so that one agent cannot use up the memory or the connections of the broker. */
export interface FetchBounds {
  /** Admits a fetch. Throws `Refusal` if too many are in progress. */
  enter(grant: Pick<Grant, "podUID" | "scope">): FetchTicket;
}

/** The reservation of one fetch. */
interface FetchTicket {
  /** Reserves `bytes` of a request. Throws `Refusal` if they exceed a limit. */
  hold(bytes: number): void;
  /** Releases the reservation. */
  leave(): void;
}

/** Creates the limits of one broker. */
export function createFetchBounds(): FetchBounds {
  const inFlight = new InFlight(fetchLimits);
  return {
    enter({ podUID, scope }) {
      const ticket = inFlight.enter(`${podUID}/${scope}`);
      if (!ticket) throw tooMany();
      let mine = 0;
      return {
        hold(bytes) {
          mine += bytes;
          if (!ticket.grow(bytes)) throw mine > fetchLimits.bytesPerKey ? tooLarge() : tooMany();
        },
        leave: () => ticket.release(),
      };
    },
  };
}

function tooMany(): Refusal {
  const message = "too many fetches are in progress, of this sandbox or in total; fetch again in a moment";
  return new Refusal(429, "TooManyFetches", message);
}

function tooLarge(): Refusal {
  return new Refusal(413, "FetchTooLarge", `a fetch request may have at most ${fetchLimits.bytesPerKey} bytes`);
}

/**
 * Reads the whole body of a request, so that a slow or endless sender is recognised as the cause: if the body were streamed to the code host,
 * the host would time out first and count as down. `hold` gets the size of each chunk and throws if it is too much. Throws `Refusal` if the
 * body is incomplete or too slow.
 */
export async function wholeBody(
  request: Readable,
  clock: Clock,
  hold: (bytes: number) => void,
): Promise<Buffer<ArrayBuffer>> {
  // The stream must stay open after reading, because a body that is refused before its end still gets an answer.
  const body = request.iterator({ destroyOnReturn: false });
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(bodyTimeoutMs, () => late.reject(tooSlow()));
  const chunks: Buffer[] = [];
  try {
    for (;;) {
      const next = await Promise.race([body.next().catch(cutOff), late.promise]);
      if (next.done) return Buffer.concat(chunks);
      const chunk = next.value as Buffer;
      hold(chunk.length);
      chunks.push(chunk);
    }
  } finally {
    cancel();
  }
}

function tooSlow(): Refusal {
  return new Refusal(
    408,
    "RequestTooSlow",
    `the body of the request was not complete within ${bodyTimeoutMs / 1000} s; send it again`,
  );
}

function cutOff(error: unknown): never {
  throw new Refusal(
    400,
    "RequestCutOff",
    `the connection ended before the body of the request was complete: ${describeError(error)}`,
  );
}
