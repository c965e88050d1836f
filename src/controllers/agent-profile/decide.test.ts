import { describe, expect, it } from "vitest";
import { aProfile } from "../../sandbox/testing.ts";
import { checkProfile, quantity } from "./decide.ts";

const withLimits = (limits: object) => aProfile({ sandbox: { resources: { limits } } });

describe("checkProfile", () => {
  it("accepts every profile if the installation sets no limits", () => {
    expect(checkProfile(aProfile(), { images: [] })).toMatchObject({ ok: true, reason: "Ready" });
  });

  it("refuses a prefix of branches that git refuses, also in a profile that was stored before the CRD refused it", () => {
    const profile = aProfile();
    profile.spec.output.branchPrefix = "bot.lock/";
    expect(checkProfile(profile, { images: [] })).toMatchObject({
      ok: false,
      reason: "BranchPrefixRefused",
      message: expect.stringMatching(/bot\.lock\/.*end in \.lock/) as string,
    });
  });

  it("refuses an image that is not allowed, and names the allowed ones", () => {
    expect(checkProfile(aProfile(), { images: ["registry.example.com/**"] })).toMatchObject({
      ok: false,
      reason: "ImageNotAllowed",
      message: expect.stringContaining("registry.example.com"),
    });
    expect(checkProfile(aProfile(), { images: ["agents/*"] })).toMatchObject({ ok: true });
  });

  it("requires a limit if the installation sets a maximum, and compares both as quantities", () => {
    expect(checkProfile(aProfile(), { images: [], maxMemory: "2Gi" })).toMatchObject({ reason: "LimitMissing" });
    expect(checkProfile(withLimits({ memory: "3Gi" }), { images: [], maxMemory: "2Gi" })).toMatchObject({
      reason: "LimitTooHigh",
    });
    expect(checkProfile(withLimits({ memory: "2048Mi" }), { images: [], maxMemory: "2Gi" })).toMatchObject({
      ok: true,
    });
    expect(checkProfile(withLimits({ cpu: "1500m" }), { images: [], maxCPU: "1" })).toMatchObject({
      reason: "LimitTooHigh",
    });
  });

  it("adds up the disk space that a sandbox may use on its node, and says how to lower it", () => {
    // 2 × 4Gi workspace and 2 × 1Gi home by default.
    expect(checkProfile(aProfile(), { images: [], maxStorage: "10Gi" })).toMatchObject({ ok: true });
    const more = [
      { workspaceSize: "5Gi" },
      { homeSize: "1100Mi" },
      { volumes: [{ name: "cache", mountPath: "/cache", emptyDir: { sizeLimit: "1Mi" } }] },
      { resources: { limits: { "ephemeral-storage": "1Mi" } } },
    ];
    for (const sandbox of more) {
      expect(checkProfile(aProfile({ sandbox }), { images: [], maxStorage: "10Gi" })).toMatchObject({
        reason: "StorageTooLarge",
        message: expect.stringMatching(/may use 1[0-2](\.\d)?Gi .* allows at most 10Gi: lower/),
      });
    }
  });
});

describe("quantity", () => {
  it.each([
    ["500m", 0.5],
    ["2", 2],
    ["1.5", 1.5],
    ["1Ki", 1024],
    ["1M", 1_000_000],
  ])("reads %s as %d", (text, value) => {
    expect(quantity(text)).toBe(value);
  });
});
