import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { optionFaults } from "../../../test/providers/slack/api/blocks.ts";
import { thorough } from "../../../test/thorough.ts";
import type { OfferedRepository } from "../ingress.ts";
import { choicesFor, noChoices } from "./choices.ts";

const offered: OfferedRepository[] = [
  { name: "acme/vault", places: ["C1"] },
  { name: "acme/other-vault", places: ["C2", "C3"] },
  { name: "acme/web-shop" },
  { name: "acme/shop" },
  { name: "acme/workshop" },
  { name: "acme/shopping" },
  { name: "shopify/docs" },
];
const namesIn = (channel: string, typed: string, from = offered): string[] =>
  optionsOf(channel, typed, from).map(({ value }) => value);
const optionsOf = (channel: string, typed: string, from = offered): { text: { text: string }; value: string }[] =>
  (JSON.parse(choicesFor(from, channel, typed).body) as { options: [] }).options;

describe("the choices of the menu of repositories", () => {
  it("are those that are offered in the channel, the mapped ones first", () => {
    const everywhere = ["acme/shop", "acme/shopping", "acme/web-shop", "acme/workshop", "shopify/docs"];
    expect(namesIn("C1", "")).toEqual(["acme/vault", ...everywhere]);
    expect(namesIn("C3", "")).toEqual(["acme/other-vault", ...everywhere]);
    expect(namesIn("D1", "")).toEqual(everywhere);
  });

  it("contain the typed text in any case, and the best match comes first", () => {
    expect(namesIn("C1", " SHOP ")).toEqual([
      "acme/shop",
      "acme/shopping",
      "shopify/docs",
      "acme/web-shop",
      "acme/workshop",
    ]);
    expect(namesIn("C1", "acme/sh")).toEqual(["acme/shop", "acme/shopping"]);
    expect(namesIn("C1", "nothing")).toEqual([]);
  });

  it("never name a repository that is mapped to other channels, whatever is typed", () => {
    for (const typed of ["other-vault", "acme/other-vault", "vault", "C2", '"places"', "*", ".*", "%"])
      expect(namesIn("C1", typed)).not.toContain("acme/other-vault");
  });

  it("are at most 100, also of more repositories, and the rest is found by typing", () => {
    const many = Array.from({ length: 150 }, (_, at) => ({ name: `acme/r${String(at).padStart(3, "0")}` }));
    const shown = namesIn("C1", "", many);
    expect(shown).toHaveLength(100);
    expect(shown.at(-1)).toBe("acme/r099");
    expect(namesIn("C1", "r149", many)).toEqual(["acme/r149"]);
  });

  it("fit in Slack's menus: long names are cut in the text, and those that are too long for a value are left out", () => {
    const long = { name: `acme/${"s".repeat(100)}` };
    const options = optionsOf("C1", "", [long, { name: `acme/${"s".repeat(190)}` }]);
    expect(options).toMatchObject([{ value: long.name }]);
    expect(optionFaults(options, "/options")).toEqual([]);
  });

  it("are the same for the same text, within the limits, for any text and in any order of the index", () => {
    const names = fc.stringMatching(/^[\w.-]{1,100}\/[\w.-]{1,100}$/);
    const entry = fc.record(
      { name: names, places: fc.array(fc.constantFrom("C1", "C2"), { minLength: 1 }) },
      { requiredKeys: ["name"] },
    );
    const typed = fc.oneof(fc.string({ unit: "binary" }), names, fc.constantFrom("/", "a", "__proto__", "\u0130", "​"));
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ({ name }) => name, maxLength: 120 }), typed, (index, text) => {
        const options = optionsOf("C1", text, index);
        const again = optionsOf("C1", text, index.toReversed());
        const places = new Map(index.map(({ name, places: known }) => [name, known]));
        return (
          JSON.stringify(options) === JSON.stringify(again) &&
          (options.length === 0 || optionFaults(options, "/options").length === 0) &&
          options.every(({ value }) => places.get(value)?.includes("C1") ?? places.has(value))
        );
      }),
      { seed: 20_261_128, numRuns: thorough(100_000, 200) },
    );
  });

  it("are an empty list if there are none, which Slack shows as no results", () => {
    expect(noChoices).toMatchObject({ status: 200, body: '{"options":[]}' });
  });
});
