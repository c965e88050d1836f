import { describe, expect, it } from "vitest";
import { aProfile } from "../../sandbox/testing.ts";
import { judge, quantity } from "./decide.ts";

const withLimits = (limits: object) => aProfile({ sandbox: { resources: { limits } } });

describe("judge", () => {
  it("lets any profile be where the installation sets no bounds", () => {
    expect(judge(aProfile(), { images: [] })).toMatchObject({ ok: true, reason: "Ready" });
  });

  it("refuses an image that is not on the list, and names the list", () => {
    expect(judge(aProfile(), { images: ["registry.example.com/**"] })).toMatchObject({
      ok: false,
      reason: "ImageNotAllowed",
      message: expect.stringContaining("registry.example.com"),
    });
    expect(judge(aProfile(), { images: ["agents/*"] })).toMatchObject({ ok: true });
  });

  it("asks for a limit where there is a bound, and compares it as a quantity", () => {
    expect(judge(aProfile(), { images: [], maxMemory: "2Gi" })).toMatchObject({ reason: "LimitMissing" });
    expect(judge(withLimits({ memory: "3Gi" }), { images: [], maxMemory: "2Gi" })).toMatchObject({
      reason: "LimitTooHigh",
    });
    expect(judge(withLimits({ memory: "2048Mi" }), { images: [], maxMemory: "2Gi" })).toMatchObject({ ok: true });
    expect(judge(withLimits({ cpu: "1500m" }), { images: [], maxCPU: "1" })).toMatchObject({ reason: "LimitTooHigh" });
  });

  it("adds up what a sandbox may fill of its node's disk, and says how to lower it", () => {
    // 2 × 4Gi workspace and 2 × 1Gi home by default.
    expect(judge(aProfile(), { images: [], maxStorage: "10Gi" })).toMatchObject({ ok: true });
    const more = [
      { workspaceSize: "5Gi" },
      { homeSize: "1100Mi" },
      { volumes: [{ name: "cache", mountPath: "/cache", emptyDir: { sizeLimit: "1Mi" } }] },
      { resources: { limits: { "ephemeral-storage": "1Mi" } } },
    ];
    for (const sandbox of more) {
      expect(judge(aProfile({ sandbox }), { images: [], maxStorage: "10Gi" })).toMatchObject({
        reason: "StorageTooLarge",
        message: expect.stringMatching(/may fill 1[0-2](\.\d)?Gi .* allows 10Gi at most: lower/),
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
