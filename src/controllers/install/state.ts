import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** How long a person may take at the provider's page. */
export const stateLifeMs = 10 * 60_000;

/** The binding of a state: the integration, by its uid, and the browser, by the value of its cookie. */
export interface StateBinding {
  uid: string;
  browser: string;
}

/** The result of a check. `id` and `until` (RFC 3339) are for the list of used states. */
export type StateVerdict = { ok: true; id: string; until: string } | { ok: false; reason: "Mismatch" | "Expired" };

/** A random value for the cookie of a browser. */
export function newBrowser(): string {
  return randomBytes(32).toString("base64url");
}

/** Whether a cookie has the form of `newBrowser`. */
export function isBrowser(text: string | undefined): text is string {
  return text !== undefined && /^[A-Za-z0-9_-]{43}$/.test(text);
}

/** Creates a state: its expiry, a random id, and the signature over both and what it is bound to. Nothing is stored, so every replica can check it. */
export function newState(key: string, binding: StateBinding, now: Date): string {
  const expiry = String(Math.floor((now.getTime() + stateLifeMs) / 1_000));
  const id = randomBytes(16).toString("base64url");
  return `${expiry}.${id}.${signature(key, binding, expiry, id)}`;
}

const form = /^([0-9]{1,12})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;

/** Checks a state in constant time. It does not check whether the state was used: the caller records this. */
export function checkState(key: string, binding: StateBinding, state: string, now: Date): StateVerdict {
  const [, expiry = "", id = "", given = ""] = form.exec(state) ?? [];
  const wanted = Buffer.from(signature(key, binding, expiry, id));
  const read = Buffer.from(given);
  if (key === "" || read.length !== wanted.length || !timingSafeEqual(read, wanted))
    return { ok: false, reason: "Mismatch" };
  const untilMs = Number(expiry) * 1_000;
  if (now.getTime() >= untilMs) return { ok: false, reason: "Expired" };
  return { ok: true, id, until: new Date(untilMs).toISOString() };
}

function signature(key: string, { uid, browser }: StateBinding, expiry: string, id: string): string {
  const text = JSON.stringify(["bellhop install state", uid, browser, expiry, id]);
  return createHmac("sha256", key).update(text).digest("base64url");
}
