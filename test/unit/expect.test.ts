import { describe, expect, it } from "vitest";

describe("a regular expression in what a test expects", () => {
  const found = { reason: "Queued", message: "3 ahead" };

  it("holds where it matches the text", () => {
    expect(found).toMatchObject({ message: /\d ahead/ });
    expect([found]).toEqual([{ reason: "Queued", message: /ahead$/ }]);
  });

  it.each([/4 ahead/, /^ahead/])("does not hold where it does not: %s", (message) => {
    expect(found).not.toMatchObject({ message });
    expect(new Error("3 ahead")).not.toMatchObject({ message });
  });

  it("does not hold for what is no text", () => {
    expect({ message: 3 }).not.toMatchObject({ message: /3/ });
    expect({}).not.toMatchObject({ message: /3/ });
  });
});
