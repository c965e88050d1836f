import { readFileSync } from "node:fs";
import { Agent, request } from "undici";
import type { z } from "zod";
import { delayMs } from "../shared/backoff.ts";
import { type Clock, sleep } from "../shared/clock.ts";
import { BellhopError, describeError, errorCode } from "../shared/errors.ts";
import { secretRegistry } from "../shared/redact.ts";
import {
  type EventBatch,
  type Proposal,
  routes,
  type Session,
  session,
  type TaskState,
  taskState,
} from "../sandbox/protocol/channel.ts";
import type { Remote } from "./git/run.ts";

/**
 * The courier's client of the broker. A call that fails throws `BrokerUnreachable` (retryable), or the code of the broker's refusal
 * (`BrokerRefused` if it has none) with the broker's message.
 */
export interface Broker {
  /** Opens a session, or renews it. */
  open(signal?: AbortSignal): Promise<Session>;
  events(batch: EventBatch, signal?: AbortSignal): Promise<void>;
  propose(proposal: Proposal, signal?: AbortSignal): Promise<void>;
  task(signal?: AbortSignal): Promise<TaskState>;
  /** The repository's address at the broker. */
  readonly repositoryURL: string;
  /** Runs git against the repository with the courier's capability. If the broker refuses the capability, the next call opens a new session. */
  withRemote<T>(run: (remote: Remote) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Dependencies of a broker client. */
export interface BrokerDeps {
  clock: Clock;
  baseURL: string;
  repositoryId: string;
  caFile: string;
  tokenFile: string;
  /** Called with each new session, to update the agent's copy of its capability. */
  onSession(session: Session): void;
}

const callTimeoutMs = 15_000;

/** Minimum time between two renewals. It also bounds the renewals if the clocks of broker and courier differ. */
const minRenewalMs = 60_000;

/**
 * Calls the broker over TLS, trusts only our certificate authority, and uses no proxy. A session is renewed after half of its lifetime, so that
 * the agent's copy of its capability does not expire. If the broker refuses a capability, the call is repeated once with a new session.
 */
export function brokerClient(deps: BrokerDeps): Broker {
  const dispatcher = new Agent({
    connect: { ca: readFileSync(deps.caFile, "utf8"), timeout: 5000 },
    headersTimeout: callTimeoutMs,
    bodyTimeout: callTimeoutMs,
  });
  const repositoryURL = new URL(`${routes.git}/${deps.repositoryId}`, deps.baseURL).href;
  const sessions = keepSession(deps, call);

  const withSession = async (wanted: Omit<Call, "bearer">, signal?: AbortSignal): Promise<unknown> => {
    const { capability } = await sessions.held(signal);
    try {
      return await call({ ...wanted, bearer: capability }, signal);
    } catch (error) {
      if (!(error instanceof BellhopError && error.code === "BrokerUnauthorized")) throw error;
      const renewed = await sessions.open(signal);
      return call({ ...wanted, bearer: renewed.capability }, signal);
    }
  };

  async function call(wanted: Call, signal?: AbortSignal): Promise<unknown> {
    try {
      const answer = await request(new URL(wanted.route, deps.baseURL), {
        dispatcher,
        method: wanted.method,
        headers: { authorization: `Bearer ${wanted.bearer}`, "content-type": "application/json" },
        signal: AbortSignal.any([AbortSignal.timeout(callTimeoutMs), ...(signal ? [signal] : [])]),
        ...(wanted.body === undefined ? {} : { body: JSON.stringify(wanted.body) }),
      });
      return settle(wanted.route, answer.statusCode, await answer.body.text());
    } catch (error) {
      if (error instanceof BellhopError) throw error;
      const message = `cannot reach the broker at ${new URL(deps.baseURL).host}: ${describeError(error)}`;
      throw new BellhopError("BrokerUnreachable", message, { retryable: true, cause: error });
    }
  }

  return {
    open: (signal) => sessions.open(signal),
    events: async (batch, signal) =>
      void (await withSession({ method: "POST", route: routes.events, body: batch }, signal)),
    propose: async (body, signal) => void (await withSession({ method: "POST", route: routes.proposal, body }, signal)),
    task: async (signal) => checked(taskState, await withSession({ method: "GET", route: routes.task }, signal)),
    repositoryURL,
    async withRemote(run) {
      const { capability } = await sessions.held();
      try {
        return await run({ url: repositoryURL, capability, caFile: deps.caFile });
      } catch (error) {
        if (errorCode(error) === "GitUnauthorized") sessions.forget();
        throw error;
      }
    },
    close: () => dispatcher.close(),
  };
}

interface Sessions {
  open(signal?: AbortSignal): Promise<Session>;
  /** The current session; opens a new one if there is none or half of its lifetime has passed. */
  held(signal?: AbortSignal): Promise<Session>;
  forget(): void;
}

function keepSession(deps: BrokerDeps, call: (wanted: Call, signal?: AbortSignal) => Promise<unknown>): Sessions {
  let current: Session | undefined;
  let renewAtMs = 0;

  async function open(signal?: AbortSignal): Promise<Session> {
    // Read each time, because the kubelet renews the token in the file.
    const token = readFileSync(deps.tokenFile, "utf8").trim();
    const answer = await call({ method: "POST", route: routes.session, bearer: token, body: {} }, signal);
    current = checked(session, answer);
    const nowMs = deps.clock.now().getTime();
    renewAtMs = nowMs + Math.max(minRenewalMs, (Date.parse(current.expiresAt) - nowMs) / 2);
    secretRegistry.add(current.capability);
    secretRegistry.add(current.agentCapability);
    deps.onSession(current);
    return current;
  }

  return {
    open,
    held: async (signal) => (current === undefined || deps.clock.now().getTime() >= renewAtMs ? open(signal) : current),
    forget: () => (current = undefined),
  };
}

interface Call {
  method: "GET" | "POST";
  route: string;
  bearer: string;
  body?: unknown;
}

function settle(route: string, status: number, body: string): unknown {
  if (status >= 200 && status < 300) return body === "" ? undefined : parse(body);
  const { code, message } = errorIn(body);
  const problem = `the broker answered ${status} to ${route}${message ? `: ${message}` : ""}`;
  if (status === 401) throw new BellhopError("BrokerUnauthorized", problem, { retryable: true });
  if (status === 429 || status >= 500) throw new BellhopError("BrokerUnreachable", problem, { retryable: true });
  throw new BellhopError(code ?? "BrokerRefused", problem);
}

function errorIn(body: string): { code?: string; message?: string } {
  const parsed = parse(body);
  if (typeof parsed !== "object" || parsed === null || !("error" in parsed)) return {};
  const { error } = parsed;
  if (typeof error !== "object" || error === null) return {};
  return {
    ...("code" in error && typeof error.code === "string" ? { code: error.code } : {}),
    ...("message" in error && typeof error.message === "string" ? { message: error.message.slice(0, 500) } : {}),
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function checked<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new BellhopError("BrokerUnreachable", `the broker's answer has an unexpected format: ${parsed.error.message}`, {
    retryable: true,
  });
}

/** How long a call is retried. */
export interface Patience {
  clock: Clock;
  forMs: number;
  /** Ends the retries earlier. */
  signal?: AbortSignal;
  /** Whether to retry after this error; by default after `retryable` errors. */
  again?: (error: unknown) => boolean;
}

const backoff = { baseMs: 500, maxMs: 10_000, jitter: 0.2 };

/** Retries a call until it succeeds, its error is not retryable, or the time is up. Then throws the last error. */
export async function persistently<T>(attempt: () => Promise<T>, patience: Patience): Promise<T> {
  const untilMs = patience.clock.now().getTime() + patience.forMs;
  const again = patience.again ?? isRetryable;
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      const waitMs = delayMs(backoff, failures);
      if (!again(error) || patience.clock.now().getTime() + waitMs > untilMs) throw error;
      await sleep(patience.clock, waitMs, patience.signal);
    }
  }
}

/** Whether the error is temporary, so that a retry can succeed. */
export function isRetryable(error: unknown): boolean {
  return error instanceof BellhopError && error.retryable;
}
