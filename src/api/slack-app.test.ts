import { describe, expect, it } from "vitest";
import { slackAppSpec } from "./slack-app.ts";

const accepts = (codeHost: { id: string; login: string }): boolean =>
  slackAppSpec.shape.access.safeParse({ people: [{ id: "U501", codeHost }] }).success;

describe("the account of a person at the code host", () => {
  it.each(["a", "ana-dev", "ana_acme", "A1"])("accepts the login %j", (login) => {
    expect(accepts({ id: "501", login })).toBe(true);
  });

  it.each(["", "-ana", "ana-", "ana\nSigned-off-by: x <x@x>", "ana <x@x>", "ana[bot]", "a b", "ana\n"])(
    "refuses the login %j",
    (login) => {
      expect(accepts({ id: "501", login })).toBe(false);
    },
  );

  it.each(["", "x", "501\n", "5 1", "1".repeat(21)])("refuses the id %j", (id) => {
    expect(accepts({ id, login: "ana" })).toBe(false);
  });
});
