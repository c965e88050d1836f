import { generateKeyPairSync } from "node:crypto";
import { expect, it } from "vitest";
import type { Urgency } from "../pace.ts";
import { appClient } from "./app-client.ts";
import { apiSettings } from "./testing.ts";

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

it("revokes a token only when no report waits: people wait for reports, and a revocation is a write as well", async () => {
  const turns: Urgency[] = [];
  const pace = { turn: async ({ urgency }: { urgency: Urgency }) => void turns.push(urgency), ask: () => 0 };
  const sent: string[] = [];
  const fetch = async (url: unknown, { method = "" }: RequestInit = {}) => {
    sent.push(`${method} ${String(url)}`);
    return new Response(null, { status: 204 });
  };
  await appClient(apiSettings({ fetch, pace }), 1, privateKey).revokeToken("ghs_unused", AbortSignal.timeout(5_000));
  expect(turns).toEqual(["Progress"]);
  expect(sent).toEqual(["DELETE https://api.github.com/installation/token"]);
});
