import { describe, expect, it } from "vitest";
import { secretRegistry } from "../shared/redact.ts";
import { ApiError, errorFromAnswer, isQuotaExceeded } from "./errors.ts";

describe("an error of the API server", () => {
  it("is classified by the server's original text, even if a secret occurs in it", () => {
    secretRegistry.add("a-secret-that-a-team-chose");
    const error = new ApiError({ status: 403, reason: "Forbidden", message: "no a-secret-that-a-team-chose here" });
    expect(error.message).toBe("no [redacted] here");
    expect(error.says(/a-secret-that-a-team-chose/)).toBe(true);
    expect(JSON.stringify(error)).not.toContain("a-secret-that-a-team-chose");
  });

  it("is a used-up quota by the server's message and status", () => {
    const body = { reason: "Forbidden", message: 'pods "x" is forbidden: exceeded quota: small' };
    expect(isQuotaExceeded(errorFromAnswer("create", 403, body))).toBe(true);
    expect(isQuotaExceeded(errorFromAnswer("create", 409, body))).toBe(false);
  });
});
