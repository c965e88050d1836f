import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from "@slack/web-api";
import { defined } from "../../shared/defined.ts";
import { describeError, type BellhopError } from "../../shared/errors.ts";
import { secretRegistry } from "../../shared/redact.ts";
import type { ProviderFailure } from "../connection.ts";
import { firstBellhopError, ProviderError, withMessage } from "../errors.ts";
import { retryAfterMs } from "../http/retry-after.ts";
import { unnamedPauseMs } from "./limits.ts";

const maxQuoted = 200;

/** The call that failed, for the error message. */
export interface Attempted {
  /** Completes "cannot …", for example `post the report to C0123`. */
  doing: string;
  host: string;
  now: Date;
  /** The HTTP status, if Slack answered. */
  status: number | undefined;
}

/** Converts anything that the client throws to a `BellhopError`. The error never carries a request, a header or a body. */
export function providerError(thrown: unknown, attempted: Attempted): BellhopError {
  const ours = firstBellhopError(thrown);
  if (ours) return withMessage(ours, messageOf(attempted, ours.message));
  const { failure, why, advice, waitMs, code } = explained(thrown, attempted);
  return new ProviderError(
    failure,
    messageOf(attempted, why, advice),
    defined({ status: attempted.status, retryAfterMs: waitMs, raw: code }),
  );
}

/** Whether Slack answered with one of these error codes. */
export function hasCode(thrown: unknown, ...codes: string[]): thrown is ProviderError {
  return thrown instanceof ProviderError && thrown.says(new RegExp(`^(?:${codes.join("|")})$`));
}

interface Explained {
  failure: ProviderFailure;
  why: string;
  advice: string;
  waitMs?: number | undefined;
  code?: string;
}

function explained(thrown: unknown, attempted: Attempted): Explained {
  if (thrown instanceof WebAPIRateLimitedError) return limited(thrown.retryAfter * 1_000);
  if (attempted.status === 429) return limited(undefined);
  if (thrown instanceof WebAPIHTTPError) {
    const waitMs = retryAfterMs(thrown.headers["retry-after"], attempted.now);
    return unavailable(`Slack answered HTTP ${thrown.statusCode}`, waitMs);
  }
  if (thrown instanceof WebAPIPlatformError) return refused(thrown.data);
  const cause = thrown instanceof WebAPIRequestError ? thrown.original : thrown;
  const isTimeout = cause instanceof Error && cause.name === "TimeoutError";
  return unavailable(isTimeout ? "Slack did not answer in time" : quote(describeError(cause)), undefined);
}

function limited(askedMs: number | undefined): Explained {
  const waitMs = askedMs ?? unnamedPauseMs;
  return {
    failure: "RateLimited",
    why: "Slack's rate limit is reached",
    advice: `Bellhop retries in ${Math.ceil(waitMs / 1_000)} s.`,
    waitMs,
  };
}

function unavailable(why: string, waitMs: number | undefined): Explained {
  return { failure: "Unavailable", why, advice: "Bellhop retries automatically.", waitMs };
}

/** An answer `{"ok":false,"error":…}`. An error that is no code is the body of an answer that was no JSON. */
function refused(data: WebAPIPlatformError["data"]): Explained {
  const code = data.error;
  if (!/^[a-z][a-z0-9_-]{1,80}$/.test(code)) return unavailable("Slack's answer is not readable", undefined);
  if (code === "ratelimited" || code === "rate_limited") return limited(undefined);
  const known = codes.find(({ of }) => of.includes(code));
  const why = `Slack answered "${code}"`;
  if (known) return { failure: known.failure, why, advice: known.advice.replace("{needed}", neededOf(data)), code };
  return { failure: "Invalid", why: `${why}${detailOf(data)}`, advice: "This is a bug of Bellhop: report it.", code };
}

/** The missing scope, in parentheses. */
function neededOf(data: WebAPIPlatformError["data"]): string {
  return "needed" in data && typeof data.needed === "string" ? ` (${quote(data.needed)})` : "";
}

/** Slack's explanation of arguments that it refuses. */
function detailOf({ response_metadata }: WebAPIPlatformError["data"]): string {
  const messages = response_metadata?.messages ?? [];
  return messages.length > 0 ? `: ${quote(messages.join("; "))}` : "";
}

/** Slack's error codes and their meaning. Every other code is `Invalid`. Source: Slack, the pages of the methods, "Errors". */
const codes: readonly { of: readonly string[]; failure: ProviderFailure; advice: string }[] = [
  {
    of: ["invalid_auth", "not_authed", "token_revoked", "token_expired", "not_allowed_token_type"],
    failure: "Unauthorized",
    advice:
      "The bot token is wrong, expired or revoked: put the token of the page OAuth & Permissions into the Secret, or install the app again.",
  },
  {
    of: ["bad_client_secret", "invalid_client_id", "oauth_authorization_url_mismatch"],
    failure: "Unauthorized",
    advice:
      "Client id and client secret are not those of the same Slack app: copy both from the page Basic Information.",
  },
  {
    of: ["bad_redirect_uri"],
    failure: "Forbidden",
    advice: "The app does not have this redirect URL: print the manifest again, and replace it.",
  },
  {
    of: ["code_already_used", "code_expired", "invalid_code"],
    failure: "Forbidden",
    advice: "The code was used before, or it is older than ten minutes: begin the installation again.",
  },
  {
    of: [
      "invalid_grant",
      "invalid_grant_type",
      "invalid_refresh_token",
      "refresh_token_expired",
      "refresh_token_revoked",
    ],
    failure: "Unauthorized",
    advice: "The token cannot be refreshed any more: install the app again.",
  },
  {
    of: ["account_inactive", "app_missing_action_url", "team_access_not_granted", "ekm_access_denied"],
    failure: "Suspended",
    advice: "The app was removed from the workspace, or an administrator disabled it: install the app again.",
  },
  {
    of: ["missing_scope", "no_permission"],
    failure: "Forbidden",
    advice: "Give the app the scope that this needs{needed}, and install it again.",
  },
  {
    of: ["not_in_channel"],
    failure: "Forbidden",
    advice: "The bot is not in the channel: invite it.",
  },
  {
    of: ["user_not_in_channel"],
    failure: "Forbidden",
    advice: "The person is not in the channel: they have to join it.",
  },
  {
    of: ["user_disabled", "messages_tab_disabled", "cannot_dm_bot"],
    failure: "Forbidden",
    advice: "The person cannot read a message of the bot there: enable the messages tab on the app's page App Home.",
  },
  {
    of: ["is_archived"],
    failure: "Forbidden",
    advice: "The channel is archived: unarchive it, or ask in another channel.",
  },
  {
    of: [
      "access_denied",
      "cant_update_message",
      "edit_window_closed",
      "enterprise_is_restricted",
      "is_inactive",
      "method_not_supported_for_channel_type",
      "restricted_action",
      "restricted_action_read_only_channel",
      "restricted_action_thread_only_channel",
      "restricted_action_thread_locked",
      "restricted_action_non_threadable_channel",
      "cannot_reply_to_message",
      "two_factor_setup_required",
    ],
    failure: "Forbidden",
    advice: "The workspace's or the channel's settings do not allow this: change them.",
  },
  {
    of: ["channel_not_found"],
    failure: "NotFound",
    advice: "The channel was deleted, or the bot cannot see it: invite the bot to the channel.",
  },
  {
    of: ["message_not_found", "thread_not_found"],
    failure: "NotFound",
    advice: "Somebody deleted the message.",
  },
  {
    of: ["no_such_subteam", "subteam_not_found", "team_not_found", "user_not_found", "user_not_visible"],
    failure: "NotFound",
    advice: "It does not exist any more, or the bot cannot see it.",
  },
  {
    of: [
      "accesslimited",
      "fatal_error",
      "internal_error",
      "org_login_required",
      "request_timeout",
      "service_unavailable",
      "team_added_to_org",
      "external_channel_migrating",
    ],
    failure: "Unavailable",
    advice: "Bellhop retries automatically.",
  },
  {
    of: ["msg_too_long", "msg_blocks_too_long"],
    failure: "Invalid",
    advice: "The message is too long for Slack. This is a bug of Bellhop: report it.",
  },
];

function messageOf({ doing, host }: Pick<Attempted, "doing" | "host">, why: string, advice?: string): string {
  return `cannot ${doing} at ${host}: ${why}${advice ? `. ${advice}` : ""}`;
}

function quote(text: string): string {
  const line = secretRegistry.redact(text).replace(/\s+/g, " ").trim();
  return line.length > maxQuoted ? `${line.slice(0, maxQuoted)}…` : line;
}
