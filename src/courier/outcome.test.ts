import { describe, expect, it } from "vitest";
import { courierOutcome } from "../sandbox/protocol/outcome.ts";
import { encodeOutcome } from "./outcome.ts";

describe("the outcome", () => {
  it.each(["é", "😀", '"', "\u0000", "a"])("fits into 2 KiB and stays valid with a long message of %j", (char) => {
    const text = encodeOutcome({
      version: 1,
      attempt: 3,
      reason: "AgentFailed",
      message: char.repeat(5000),
      branch: "b".repeat(255),
      commit: "c".repeat(64),
      notProbed: Array.from({ length: 8 }, () => "n".repeat(64)),
    });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2048);
    expect(courierOutcome.safeParse(JSON.parse(text)).success).toBe(true);
  });

  it("contains no control characters and no token", () => {
    const text = encodeOutcome({
      version: 1,
      attempt: 1,
      reason: "AgentFailed",
      message: "a\nb\u001b[31m ghp_abcdefghijklmnop",
    });
    expect(JSON.parse(text)).toMatchObject({ message: "a b [31m [redacted]" });
  });
});
