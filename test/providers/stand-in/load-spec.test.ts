import { expect, it } from "vitest";
import { specLoader } from "./load-spec.ts";

it("warns once if a provider's description is missing, and then checks nothing", () => {
  const warnings: string[] = [];
  const file = new URL("file:///no/such/description.json");
  const read = (): object => expect.fail("there is nothing to read");
  const load = specLoader({ provider: "Toy", file, read }, (message) => warnings.push(message));
  expect([load(), load()]).toEqual([undefined, undefined]);
  expect(warnings).toEqual([expect.stringMatching(/^Toy's API description is missing at .*description\.json/)]);
});
