import type { IncomingMessage } from "node:http";
import { beginInstall } from "../../controllers/install/begin-install.ts";
import { finishInstall } from "../../controllers/install/finish-install.ts";
import { installPath } from "../../controllers/install/install-urls.ts";
import type { InstallDeps, InstallRequest } from "../../controllers/install/target.ts";
import { ProviderError } from "../../integrations/errors.ts";
import { BellhopError, describeError, errorCode } from "../../shared/errors.ts";
import { InFlight } from "../../shared/in-flight.ts";
import { createRateLimit } from "../../shared/rate-limit.ts";
import { pageHeaders, renderPage, type Page, type PageAnswer } from "./page.ts";

/** Answers one request. Never throws. */
export type InstallApp = (request: Pick<IncomingMessage, "method" | "url" | "headers">) => Promise<PageAnswer>;

/**
 * `__Host-`: the browser accepts the cookie only over https, for this host only, and from no subdomain. `Lax`: it is sent when the provider sends
 * the browser back.
 */
const cookieName = "__Host-bellhop-install";
const cookieSeconds = 600;

const maxURLCharacters = 4_096;
/** Strangers can open the pages. These limits are for one replica: pages that read a Secret, and exchanges, which also write one and call the provider. */
const pageRate = { everyMs: 50, burst: 60 };
const exchangeRate = { everyMs: 2_000, burst: 10 };
const maxRequests = { requestsPerKey: 32, requests: 32, bytesPerKey: 0, bytes: 0 };
const timeoutMs = 30_000;

/** Creates the application of the install pages: `/install/<kind>/<namespace>/<name>`, and `…/callback`, to which the provider sends the browser back. */
export function installApp(given: Omit<InstallDeps, "mayExchange">): InstallApp {
  const deps: InstallDeps = { ...given, mayExchange: createRateLimit(given.clock, exchangeRate) };
  const mayRead = createRateLimit(given.clock, pageRate);
  const inFlight = new InFlight(maxRequests);
  return async (request) => {
    const route = routeOf(request);
    if ("status" in route) return renderPage(route);
    const ticket = mayRead() ? inFlight.enter("install") : undefined;
    if (!ticket) return renderPage(busy);
    try {
      return await serve(deps, route);
    } catch (error) {
      return renderPage(failurePage(deps, error, route));
    } finally {
      ticket.release();
    }
  };
}

interface Route extends InstallRequest {
  path: string;
  /** Set on the callback. */
  query: URLSearchParams | undefined;
}

const pathForm = new RegExp(`^(${installPath}/([a-z]{1,63})/([a-z0-9-]{1,63})/([a-z0-9.-]{1,253}))(/callback)?$`);

function routeOf({ method, url = "", headers }: Parameters<InstallApp>[0]): Route | Page {
  return refusalOf(method, url, headers) ?? pathOf(url, headers.cookie) ?? nowhere;
}

function pathOf(url: string, cookies: string | undefined): Route | undefined {
  const [path = "", query = ""] = url.split(/\?(.*)/s);
  const [, start, kind = "", namespace = "", name = "", callback] = pathForm.exec(path) ?? [];
  if (start === undefined) return undefined;
  const browser = cookieIn(cookies);
  return { kind, namespace, name, browser, path: start, query: callback ? new URLSearchParams(query) : undefined };
}

function refusalOf(method: string | undefined, url: string, headers: IncomingMessage["headers"]): Page | undefined {
  if (method !== "GET") return page(405, "Not allowed", "These pages can only be opened in a browser.");
  if (url.length > maxURLCharacters) return page(414, "Address too long", "The address of this page is too long.");
  if (Number(headers["content-length"] ?? 0) > 0 || headers["transfer-encoding"] !== undefined)
    return page(400, "Not understood", "Requests to these pages have no body.");
  return undefined;
}

function cookieIn(header = ""): string | undefined {
  const found = header.split(";").map((each) => each.trim().split("=", 2));
  return found.find(([name]) => name === cookieName)?.[1];
}

async function serve(deps: InstallDeps, route: Route): Promise<PageAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  if (!route.query) {
    const { location, browser } = await beginInstall(deps, route, signal);
    const cookie = `${cookieName}=${browser}; Path=/; Max-Age=${cookieSeconds}; Secure; HttpOnly; SameSite=Lax`;
    return { status: 303, headers: { ...pageHeaders, location, "set-cookie": cookie }, body: "" };
  }
  const given = (name: string): string | undefined => route.query?.get(name) ?? undefined;
  const back = { state: given("state"), code: given("code"), error: given("error") };
  const { account, name } = await finishInstall(deps, { ...route, ...back }, signal);
  const text = `Bellhop is installed in ${name} (${account}). It works there in a few seconds. You can close this page.`;
  return renderPage(page(200, "Installed", text));
}

const nowhere: Page = page(
  404,
  "Not found",
  "There is no such install page. Copy its address from the integration's status.installURL.",
);
const busy: Page = {
  ...page(429, "Too many requests", "Too many people open install pages at the moment. Try again in a minute."),
  retryAfterSeconds: 60,
};

function page(status: number, title: string, text: string): Page {
  return { status, title, text };
}

/** The pages of errors, by their codes; `again`: a new beginning can help. */
const pages: Readonly<Record<string, { status: number; title: string; again?: true }>> = {
  NotFound: { status: 404, title: "Not found" },
  IntegrationGone: { status: 404, title: "Not found" },
  NotPrepared: { status: 503, title: "Not ready yet", again: true },
  StateMismatch: { status: 403, title: "Not begun here", again: true },
  StateExpired: { status: 403, title: "Too late", again: true },
  StateUsed: { status: 403, title: "Opened before", again: true },
  Declined: { status: 403, title: "Declined", again: true },
  CodeMissing: { status: 400, title: "Not understood", again: true },
  TooManyInstalls: { status: 429, title: "Too many installations" },
  AccountNotAllowed: { status: 403, title: "Not allowed" },
};

/** A provider's refusal is for the person at the browser. Other errors are about this installation's set-up, which is not for strangers. */
function failurePage({ log }: InstallDeps, error: unknown, { path, kind, namespace, name }: Route): Page {
  const known = error instanceof BellhopError ? pages[error.code] : undefined;
  if (known && error instanceof BellhopError && !(error instanceof ProviderError)) {
    const { status, title, again } = known;
    return { status, title, text: error.message, ...(again ? { again: path } : {}) };
  }
  log.warn(
    { kind, namespace, integration: name, code: errorCode(error), why: describeError(error) },
    "an installation failed",
  );
  if (error instanceof ProviderError)
    return {
      ...page(error.retryable ? 503 : 502, "Not installed", `${error.message} Nothing was installed.`),
      again: path,
    };
  const why =
    "Bellhop could not complete the installation. Its administrator finds the reason in the log of the operator.";
  return { ...page(500, "Not installed", why), again: path };
}
