import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createAuthority, issueServer, needsRenewal } from "./certificates.ts";

const now = new Date("2026-06-01T00:00:00Z");
const later = (days: number): Date => new Date(now.getTime() + days * 86_400_000);
const hosts = ["broker.example.svc", "10.0.0.7"];

describe("certificates", async () => {
  const authority = await createAuthority("bellhop", now, 3650);
  const pair = await issueServer(authority, hosts, now, 90);

  it("issues certificates that other TLS implementations accept: chain, names and key match", () => {
    const certificate = new X509Certificate(pair.certificate);
    const root = new X509Certificate(authority.certificate);
    expect(certificate.verify(root.publicKey)).toBe(true);
    expect(certificate.checkHost("broker.example.svc")).toBe("broker.example.svc");
    expect(certificate.checkIP("10.0.0.7")).toBe("10.0.0.7");
    expect(root.ca).toBe(true);
    expect(certificate.ca).toBe(false);
  });

  it.each([
    { name: "is fresh", given: pair, at: now, want: false },
    { name: "is missing", given: undefined, at: now, want: true },
    { name: "is in the last third of its life", given: pair, at: later(61), want: true },
    { name: "is before that", given: pair, at: later(59), want: false },
  ])("renews: $want when the certificate $name", async ({ given, at, want }) => {
    expect(await needsRenewal(given, authority, hosts, at)).toBe(want);
  });

  it("renews a certificate of another authority, or for other hosts", async () => {
    const other = await createAuthority("bellhop", now, 3650);
    expect(await needsRenewal(pair, other, hosts, now)).toBe(true);
    expect(await needsRenewal(pair, authority, ["elsewhere.svc"], now)).toBe(true);
  });
});
