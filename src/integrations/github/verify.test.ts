import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../test/thorough.ts";
import { needsFile } from "../../../test/needs.ts";
import { verify } from "./verify.ts";

const receivedAt = new Date("2026-01-01T00:00:00Z");
const key = Buffer.from("current-secret");
const previous = Buffer.from("previous-secret");
const body = Buffer.from('{"zen":"Keep it logically awesome."}');
const sign = (secret: Uint8Array, bytes: Uint8Array): string =>
  `sha256=${createHmac("sha256", secret).update(bytes).digest("hex")}`;

function delivery(signature: string | undefined, bytes: Uint8Array = body, header = "x-hub-signature-256") {
  return {
    body: bytes,
    receivedAt,
    headers: { get: (name: string) => (name.toLowerCase() === header ? signature : undefined) },
  };
}

describe("verify", () => {
  it("accepts the vector that GitHub publishes", () => {
    const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const given = delivery(signature, Buffer.from("Hello, World!"));
    expect(verify(given, [Buffer.from("It's a Secret to Everybody")])).toEqual({ ok: true });
  });

  it("accepts the current and the previous key, whichever comes first", () => {
    expect(verify(delivery(sign(key, body)), [key, previous])).toEqual({ ok: true });
    expect(verify(delivery(sign(previous, body)), [key, previous])).toEqual({ ok: true });
    expect(verify(delivery(sign(key, body)), [previous, key])).toEqual({ ok: true });
  });

  it.each([
    ["no header", delivery(undefined), "SignatureMissing"],
    ["an empty header", delivery(""), "SignatureMissing"],
    ["a SHA-1 signature", delivery(`sha1=${"0".repeat(40)}`), "SignatureMissing"],
    ["the header of other providers", delivery(sign(key, body), body, "x-hub-signature"), "SignatureMissing"],
    ["a signature of another key", delivery(sign(Buffer.from("other"), body)), "SignatureMismatch"],
    [
      "a body with one more byte",
      delivery(sign(key, body), Buffer.concat([body, Buffer.from(" ")])),
      "SignatureMismatch",
    ],
    ["a short signature", delivery("sha256=ab"), "SignatureMismatch"],
    ["a signature that is not hex", delivery(`sha256=${"z".repeat(64)}`), "SignatureMismatch"],
    ["a signature with more digits", delivery(`${sign(key, body)}00`), "SignatureMismatch"],
  ])("refuses %s", (_, given, reason) => {
    expect(verify(given, [key, previous])).toEqual({ ok: false, reason });
  });

  it("verifies nothing without keys", () => {
    expect(verify(delivery(sign(Buffer.alloc(0), body)), [])).toEqual({ ok: false, reason: "SignatureMismatch" });
  });

  it("accepts only the bytes that the key signed, for any bytes", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.nat(),
        (bytes, secret, at) => {
          expect(verify(delivery(sign(secret, bytes), bytes), [secret]).ok).toBe(true);
          if (bytes.length === 0) return;
          const changed = Uint8Array.from(bytes, (byte, index) => (index === at % bytes.length ? byte ^ 1 : byte));
          expect(verify(delivery(sign(secret, bytes), changed), [secret]).ok).toBe(false);
        },
      ),
      { numRuns: thorough(100_000), seed: 7 },
    );
  });
});

const vectorsFile = new URL("../../../../shared/fixtures/signature-vectors.json", import.meta.url);

describe("verify, with the shared vectors", () => {
  it("accepts every vector of GitHub's scheme and refuses it with another body", (context) => {
    needsFile(context, vectorsFile);
    const vectors = JSON.parse(readFileSync(vectorsFile, "utf8")) as {
      header: string;
      secret: string;
      payload?: string;
      expected: string;
    }[];
    const ours = vectors.filter(({ header, payload }) => header === "X-Hub-Signature-256" && payload !== undefined);
    expect(ours.length).toBeGreaterThan(0);
    for (const { secret, payload = "", expected } of ours) {
      const keys = [Buffer.from(secret)];
      expect(verify(delivery(expected, Buffer.from(payload)), keys)).toEqual({ ok: true });
      expect(verify(delivery(expected, Buffer.from(`${payload} `)), keys).ok).toBe(false);
    }
  });
});
