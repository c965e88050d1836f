import { describe, expect, it } from "vitest";
import type { ProviderFailure } from "../integrations/connection.ts";
import { ProviderError } from "../integrations/errors.ts";
import { ApiError } from "../kube/errors.ts";
import { BellhopError } from "../shared/errors.ts";
import {
  isFinalRefusal,
  isForCondition,
  isTemporary,
  lacksAccess,
  requeueAfterFailure,
  retryCondition,
  retryWaitMs,
} from "./provider-failure.ts";

const asksFor = (retryAfterMs: number): ProviderError =>
  new ProviderError("RateLimited", "GitHub asks for a pause.", { retryAfterMs });
const away = new ProviderError("Unavailable", "GitHub answered 502.");

describe("requeueAfterFailure", () => {
  it.each([
    { name: "after the wait that the provider asked for", askedMs: 7_000, plannedMs: undefined, expected: 7_000 },
    { name: "after a second at the earliest", askedMs: 0, plannedMs: undefined, expected: 1_000 },
    { name: "after the planned wait if that is earlier", askedMs: 7_000, plannedMs: 3_000, expected: 3_000 },
    { name: "not later than the provider asked for", askedMs: 7_000, plannedMs: 9_000, expected: 7_000 },
  ])("reconciles again $name", ({ askedMs, plannedMs, expected }) => {
    expect(requeueAfterFailure(asksFor(askedMs), plannedMs)).toEqual({ requeueAfterMs: expected });
  });

  it.each([
    { name: "a provider that names no wait", error: away },
    { name: "the API server", error: new ApiError({ status: 429, reason: "TooManyRequests", message: "later" }) },
    { name: "the code", error: new TypeError("no such field") },
  ])("throws an error of $name, also if a wait is planned", ({ error }) => {
    expect(() => requeueAfterFailure(error, 3_000)).toThrow(error);
  });
});

describe("retryWaitMs", () => {
  it("is the wait that the provider asked for, or else 15 seconds", () => {
    expect([asksFor(7_000), asksFor(0), away].map(retryWaitMs)).toEqual([7_000, 1_000, 15_000]);
  });
});

describe("the kinds of failure", () => {
  const failures: ProviderFailure[] = [
    "Unauthorized",
    "Forbidden",
    "Locked",
    "Suspended",
    "NotFound",
    "Invalid",
    "Conflict",
    "RateLimited",
    "Unavailable",
    "ForeignHook",
  ];

  it.each([
    { name: "temporary", is: isTemporary, expected: ["RateLimited", "Unavailable"] },
    { name: "final refusals", is: isFinalRefusal, expected: ["Forbidden", "Locked", "NotFound", "Invalid"] },
    { name: "a lack of access", is: lacksAccess, expected: ["Unauthorized", "Forbidden", "Suspended", "NotFound"] },
  ])("that are $name", ({ is, expected }) => {
    expect(failures.filter((failure) => is(new ProviderError(failure, "no")))).toEqual(expected);
    expect(is(new BellhopError("Unavailable", "not from a provider"))).toBe(false);
  });
});

describe("isForCondition", () => {
  it.each([
    { name: "a failure of a provider", error: away, expected: true },
    { name: "a Secret that is missing", error: new BellhopError("SecretNotFound", "create it"), expected: true },
    {
      name: "an error of the API server",
      error: new ApiError({ status: 409, reason: "Conflict", message: "newer" }),
      expected: false,
    },
    { name: "a fault of the code", error: new TypeError("no such field"), expected: false },
  ])("is $expected for $name", ({ error, expected }) => {
    expect(isForCondition(error)).toBe(expected);
  });
});

describe("retryCondition", () => {
  it("has the code of the error as its reason", () => {
    expect(retryCondition(away)).toMatchObject({ status: "Unknown", reason: "Unavailable" });
  });

  it.each([
    ["git.example has no address", "git.example has no address. Trying again."],
    ["GitHub answered 502.", "GitHub answered 502. Trying again."],
    ["GitHub answered “Slow down!”", "GitHub answered “Slow down!” Trying again."],
    ["The text was cut …", "The text was cut … Trying again."],
    ["no answer from git.example (ECONNRESET)\n", "no answer from git.example (ECONNRESET). Trying again."],
    ["", "Trying again."],
  ])("ends the message %j with exactly one sentence end", (message, shown) => {
    expect(retryCondition({ code: "Unavailable", message }).message).toBe(shown);
  });
});
