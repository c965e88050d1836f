import { describe, expect, it } from "vitest";
import { tryingAgain } from "./trying-again.ts";

describe("tryingAgain", () => {
  it.each([
    ["git.example has no address", "git.example has no address. Trying again."],
    ["GitHub answered 502.", "GitHub answered 502. Trying again."],
    ["GitHub answered “Slow down!”", "GitHub answered “Slow down!” Trying again."],
    ["The text was cut …", "The text was cut … Trying again."],
    ["no answer from git.example (ECONNRESET)\n", "no answer from git.example (ECONNRESET). Trying again."],
    ["", "Trying again."],
  ])("ends the message %j with exactly one sentence end", (message, shown) => {
    expect(tryingAgain(message)).toBe(shown);
  });
});
