import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../test/thorough.ts";
import { searched } from "../../test/work.ts";
import { type Redactor, createSecretRegistry } from "./redact.ts";

const secret = 'p@ss w0rd/ü+="x';

/** A redactor of a registry with these values. */
function redactor(values: readonly string[]): Redactor {
  const registry = createSecretRegistry();
  for (const value of values) registry.add(value);
  return registry.redact;
}

describe("a registry of secrets", () => {
  it.each([
    ["raw", secret],
    ["base64", Buffer.from(secret).toString("base64")],
    ["base64url", Buffer.from(secret).toString("base64url")],
    ["URL-encoded", encodeURIComponent(secret)],
    ["form-encoded", new URLSearchParams({ a: secret }).toString()],
    ["JSON-encoded", JSON.stringify(secret)],
    ["JSON-encoded in ASCII, as Python does", String.raw`"p@ss w0rd/\u00fc+=\"x"`],
    ["JSON-encoded with / escaped, as PHP does", String.raw`"p@ss w0rd\/ü+=\"x"`],
    ["in a basic header", `Basic ${Buffer.from(`user:${secret}`).toString("base64")}`],
    ["in the middle of a longer base64 text", Buffer.from(`{"a":"${secret}","b":1}`).toString("base64")],
  ])("redacts a secret %s", (_, text) => {
    const out = redactor([secret])(`before ${text} after`);
    expect(out).toMatch(/^before .*\[redacted\].* after$/);
    expect(out).not.toContain(text);
  });

  it.each([
    "ghp_abcdefghijklmnop",
    "github_pat_11ABCDEFG0abcdefgh",
    "glpat-abcdefghijk",
    "xoxb-123456789-abc",
    "sk-proj-abcdefghijklmnop",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "eyJuYW1lc3BhY2UiOiJ0ZWFtIn0.dGhlIG1hYyBvZiBhIGNhcGFiaWxpdHk",
    `eyJuYW1lc3BhY2UiOiJ0ZWFtIn0.${"-_aB".repeat(10)}cde`,
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
  ])("recognises the format of %j without registration", (token) => {
    expect(redactor([])(`token=${token}; next`)).toBe("token=[redacted]; next");
  });

  it("does not redact values under 8 characters, which would match ordinary words", () => {
    expect(redactor(["main", ""])("checked out main")).toBe("checked out main");
  });

  it("masks the longer of two secrets if one contains the other", () => {
    expect(redactor(["abcdefgh", "abcdefghijkl"])("abcdefghijkl")).toBe("[redacted]");
  });

  it("redacts every encoding of a secret of 8 or more characters, at any position", () => {
    const encodings = [
      (text: string) => text,
      (text: string) => encodeURIComponent(text),
      (text: string) => new URLSearchParams([["", text]]).toString().slice(1),
      (text: string) => JSON.stringify(text).slice(1, -1),
      (text: string) => Buffer.from(text).toString("base64"),
      (text: string) => Buffer.from(text).toString("base64url"),
    ];
    const part = fc.string({ unit: "grapheme-ascii", maxLength: 12 });
    const aSecret = fc.string({ unit: "grapheme", minLength: 8, maxLength: 60 }).filter((text) => isWellFormed(text));
    fc.assert(
      fc.property(aSecret, part, part, fc.constantFrom(...encodings), (value, before, after, encode) => {
        const redact = redactor([value]);
        const out = redact(before + encode(value) + after);
        return !out.includes(encode(value));
      }),
      { seed: 8, numRuns: thorough(100_000) },
    );
  });

  it("makes the secret unrecoverable from the base64 of a text around it", () => {
    const part = fc.string({ unit: "grapheme-ascii", maxLength: 9 });
    const aSecret = fc.string({ unit: "grapheme-ascii", minLength: 8, maxLength: 40 });
    fc.assert(
      fc.property(aSecret, part, part, (value, before, after) => {
        const out = redactor([value])(Buffer.from(before + value + after).toString("base64"));
        const pieces = out.split("[redacted]").map((piece) => Buffer.from(piece, "base64").toString());
        return pieces.every((piece) => !piece.includes(value)) && out.includes("[redacted]");
      }),
      { seed: 8, numRuns: thorough(20_000) },
    );
  });
});

describe("createSecretRegistry", () => {
  it("masks registered values, text or bytes, in every form", () => {
    const { add, redact } = createSecretRegistry();
    add(secret);
    add(Buffer.from("another-secrets"));
    const said = `${secret} ${encodeURIComponent(secret)} ${Buffer.from("another-secrets").toString("base64")}`;
    expect(redact(said)).toBe("[redacted] [redacted] [redacted]");
  });

  it("removes the value that was added longest ago, and no form that two values share", () => {
    const { add, redact } = createSecretRegistry(2);
    for (const value of ["secret-one", "secret-two", "secret-one", "secret-three"]) add(value);
    expect(redact("secret-one secret-two secret-three")).toBe("[redacted] secret-two [redacted]");
  });

  it("masks overlapping secrets together, so that no part of either is left", () => {
    const { add, redact } = createSecretRegistry();
    for (const value of ["abcdefghij", "ghijklmnopqr"]) add(value);
    expect(redact("<abcdefghijklmnopqr>")).toBe("<[redacted]>");
  });

  it("registers nothing under 8 characters", () => {
    const { add, redact } = createSecretRegistry();
    for (const value of ["", "main"]) add(value);
    expect(redact("checked out main")).toBe("checked out main");
  });

  it("needs no more time for a line with 1,000 registered secrets than with one", () => {
    const line = JSON.stringify({ level: "info", message: "x".repeat(100), text: "reconciled a task ".repeat(10) });
    const searchedWith = (count: number): number => {
      const { add, redact } = createSecretRegistry();
      for (let at = 0; at < count; at++) add(createHash("sha256").update(String(at)).digest("base64"));
      return searched(() => redact(line));
    };
    expect(searchedWith(1_000)).toBeLessThanOrEqual(searchedWith(1));
  });
});

/** Half a surrogate pair has no URL encoding, and cannot be part of a secret. */
function isWellFormed(text: string): boolean {
  return text.isWellFormed();
}
