import { expect, it } from "vitest";
import { encodeFacts, factsReader, noFacts } from "./gateway-facts.ts";

const entry = (thread: string): string => encodeFacts({ ...noFacts, liveThreads: [thread] });

it("decodes the facts of an integration once, until their text changes", () => {
  const entries: Record<string, string | undefined> = { a: entry("one"), b: entry("two") };
  const read = factsReader((uid) => entries[uid]);
  const first = read("a");
  expect(first.liveThreads).toEqual(["one"]);
  expect(read("b").liveThreads).toEqual(["two"]);
  expect(read("a")).toBe(first);
  entries["a"] = entry("three");
  expect(read("a").liveThreads).toEqual(["three"]);
});

it("has no facts of an integration whose entry was removed or cannot be decoded, and reads it again when it is back", () => {
  const entries: Record<string, string | undefined> = { a: entry("one") };
  const read = factsReader((uid) => entries[uid]);
  read("a");
  entries["a"] = undefined;
  expect(read("a")).toEqual(noFacts);
  entries["a"] = "not JSON";
  expect(read("a")).toEqual(noFacts);
  entries["a"] = entry("one");
  expect(read("a").liveThreads).toEqual(["one"]);
});
