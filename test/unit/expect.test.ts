import { describe, expect, it } from "vitest";

describe("a regular expression in an expected value", () => {
  const found = { reason: "Queued", message: "3 ahead" };

  it("passes if it matches the text", () => {
    expect(found).toMatchObject({ message: /\d ahead/ });
    expect([found]).toEqual([{ reason: "Queued", message: /ahead$/ }]);
  });

  it.each([/4 ahead/, /^ahead/])("fails if it does not match: %s", (message) => {
    expect(found).not.toMatchObject({ message });
    expect(new Error("3 ahead")).not.toMatchObject({ message });
  });

  it("fails for a value that is not text", () => {
    expect({ message: 3 }).not.toMatchObject({ message: /3/ });
    expect({}).not.toMatchObject({ message: /3/ });
  });
});
