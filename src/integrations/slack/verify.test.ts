import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { needsFile } from "../../../test/needs.ts";
import { thorough } from "../../../test/thorough.ts";
import type { Delivery } from "../ingress.ts";
import { verify } from "./verify.ts";

const time = "1767225600";
const receivedAt = new Date(Number(time) * 1_000);
const key = Buffer.from("current-secret");
const previous = Buffer.from("previous-secret");
const body = Buffer.from('{"type":"event_callback"}');
const mismatch = { ok: false, reason: "SignatureMismatch" };
const missing = { ok: false, reason: "SignatureMissing" };

function sign(secret: Uint8Array, bytes: Uint8Array, at = time): string {
  return `v0=${createHmac("sha256", secret).update(`v0:${at}:`).update(bytes).digest("hex")}`;
}

/** A delivery that the current key signed, with the changes of one test. */
function aDelivery({ bytes = body, at = time, ...changes }: Changes = {}): Delivery {
  const signature = "signature" in changes ? changes.signature : sign(key, bytes, at);
  const headers: Record<string, string | undefined> = {
    "x-slack-signature": signature,
    "x-slack-request-timestamp": "header" in changes ? changes.header : at,
  };
  return { body: bytes, receivedAt: changes.receivedAt ?? receivedAt, headers: { get: (name) => headers[name] } };
}

interface Changes {
  bytes?: Uint8Array;
  /** The time that is signed, and sent unless `header` says otherwise. */
  at?: string;
  header?: string | undefined;
  signature?: string | undefined;
  receivedAt?: Date;
}

describe("verify", () => {
  it("accepts the current and the previous key, whichever comes first", () => {
    const signature = sign(previous, body);
    expect(verify(aDelivery(), [key, previous])).toEqual({ ok: true });
    expect(verify(aDelivery(), [previous, key])).toEqual({ ok: true });
    expect(verify(aDelivery({ signature }), [key, previous])).toEqual({ ok: true });
    expect(verify(aDelivery({ signature }), [previous, key])).toEqual({ ok: true });
  });

  it.each([
    ["no signature", { signature: undefined }, missing],
    ["an empty signature", { signature: "" }, missing],
    ["no time", { header: undefined }, missing],
    ["a signature of another key", { signature: sign(Buffer.from("other"), body) }, mismatch],
    ["a body with one more byte", { signature: sign(key, body), bytes: Buffer.from(`${body.toString()} `) }, mismatch],
    ["another time than the signed one", { header: "1767225601" }, mismatch],
    ["a time with a fraction", { at: "1767225600.5" }, mismatch],
    ["a time that is not a number", { at: "now" }, mismatch],
    ["a signature of another version", { signature: sign(key, body).replace("v0=", "v1=") }, mismatch],
    ["a short signature", { signature: "v0=ab" }, mismatch],
    ["a signature with more digits", { signature: `${sign(key, body)}00` }, mismatch],
    ["a signature that is not hex", { signature: `v0=${"z".repeat(64)}` }, mismatch],
  ] satisfies [string, Changes, object][])("refuses %s", (_, changes, verdict) => {
    expect(verify(aDelivery(changes), [key, previous])).toEqual(verdict);
  });

  it.each([
    [-301_000, { ok: false, reason: "Stale" }],
    [-300_000, { ok: true }],
    [300_000, { ok: true }],
    [300_001, { ok: false, reason: "Stale" }],
    [86_400_000, { ok: false, reason: "Stale" }],
  ])("compares the signed time with the receipt %i ms later", (laterMs, verdict) => {
    const late = new Date(receivedAt.getTime() + laterMs);
    expect(verify(aDelivery({ receivedAt: late }), [key])).toEqual(verdict);
  });

  it("verifies nothing without keys", () => {
    expect(verify(aDelivery({ signature: sign(Buffer.alloc(0), body) }), [])).toEqual(mismatch);
  });

  it("accepts only the bytes and the time that the key signed, for any bytes", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (bytes, secret, at, by) => {
          const signature = sign(secret, bytes);
          const changed = Uint8Array.from(bytes, (byte, index) => (index === at % bytes.length ? byte ^ by : byte));
          const header = changeDigit(time, at, by);
          const verdicts = [{ bytes }, { bytes: changed }, { bytes, header }].map((changes) =>
            verify(aDelivery({ ...changes, signature }), [secret]),
          );
          return verdicts.map(({ ok }) => ok).join(" ") === "true false false";
        },
      ),
      { numRuns: thorough(100_000), seed: 7 },
    );
  });
});

/** The time with another digit at one place. */
function changeDigit(text: string, at: number, by: number): string {
  const place = at % text.length;
  const digit = (Number(text[place]) + 1 + (by % 9)) % 10;
  return text.slice(0, place) + String(digit) + text.slice(place + 1);
}

const vectorsFile = new URL("../../../../shared/fixtures/signature-vectors.json", import.meta.url);

interface Vector {
  header: string;
  secret: string;
  timestamp?: string;
  payload?: string;
  expected: string;
}

describe("verify, with the shared vectors", () => {
  it("accepts Slack's vector at its time, and refuses it later or with another body", (context) => {
    needsFile(context, vectorsFile);
    const vectors = JSON.parse(readFileSync(vectorsFile, "utf8")) as Vector[];
    const ours = vectors.filter(({ header }) => header === "X-Slack-Signature");
    expect(ours.length).toBeGreaterThan(0);
    for (const { secret, payload = "", timestamp: at = "", expected: signature } of ours) {
      const keys = [Buffer.from(secret)];
      const given = { at, signature, bytes: Buffer.from(payload), receivedAt: new Date(Number(at) * 1_000) };
      expect(verify(aDelivery(given), keys)).toEqual({ ok: true });
      expect(verify(aDelivery({ ...given, bytes: Buffer.from(`${payload} `) }), keys)).toEqual(mismatch);
      expect(verify(aDelivery({ ...given, receivedAt }), keys)).toEqual({ ok: false, reason: "Stale" });
    }
  });
});
