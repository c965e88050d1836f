import { beforeEach, describe, expect, it } from "vitest";
import { needsFile } from "../../needs.ts";
import { routes } from "./rest/table.ts";
import { loadSpec, specLoader, specFile } from "./spec-check.ts";
import { uncheckedOperations } from "./unchecked-operations.ts";

/** Needs GitHub's description beside the checkout (shared/fixtures/github/spec); a user's clone has none. */
describe("against GitHub's description", () => {
  beforeEach((context) => needsFile(context, specFile));
  const spec = loadSpec()!;

  it("serves every operation of it", () => {
    const served = new Set(routes.map((route) => route.operation));
    expect([...spec.operations].filter((operation) => !served.has(operation))).toEqual([]);
  });

  it("leaves no operation unchecked but those that are listed as such", () => {
    const unchecked = routes.map((route) => route.operation).filter((operation) => !spec.operations.has(operation));
    expect(unchecked.toSorted()).toEqual(uncheckedOperations.toSorted());
  });

  it.each([
    { query: "state=open&sort=created&direction=asc&per_page=100&page=2", faults: [] },
    { query: "state=opn", faults: ["?state=opn must be equal to one of the allowed values"] },
    { query: "state=open&state=opn", faults: ["?state=opn must be equal to one of the allowed values"] },
    { query: "per_page=many", faults: ["?per_page=many must be integer"] },
    { query: "base=7", faults: [] },
    { query: "colour=red", faults: ["has no query parameter colour"] },
  ])("finds what is wrong with the query ?$query", ({ query, faults }) => {
    const operation = "GET /repos/{owner}/{repo}/pulls";
    const exchange = { operation, query: new URLSearchParams(query), requestBody: undefined, status: 200 };
    expect(spec.check({ ...exchange, responseBody: [] }).map(({ message }) => message)).toEqual(faults);
  });

  const comment = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments";

  it.each([
    { name: "a body of the wrong type", requestBody: { body: 7 }, message: "/body must be string" },
    { name: "a body without what is required", requestBody: {}, message: "/ must have required property 'body'" },
    { name: "no body where one is due", requestBody: undefined, message: "needs a body, but none came" },
  ])("finds $name in a request", ({ requestBody, message }) => {
    const exchange = { operation: comment, query: new URLSearchParams(), requestBody, status: 201, responseBody: {} };
    const found = spec.check(exchange).filter(({ side }) => side === "request");
    expect(found.map((violation) => violation.message)).toEqual([message]);
  });

  it("finds an answer that lacks a field, and a status that is not foreseen", () => {
    const exchange = { operation: comment, query: new URLSearchParams(), requestBody: { body: "x" } };
    const lacking = spec.check({ ...exchange, status: 201, responseBody: {} });
    expect(lacking.map(({ message }) => message)).toContain("/ must have required property 'node_id'");
    const strange = spec.check({ ...exchange, status: 202, responseBody: {} });
    expect(strange.map(({ message }) => message)).toEqual(["may not answer 202"]);
  });
});

it("says once that GitHub's description is not there, and checks nothing then", () => {
  const told: string[] = [];
  const load = specLoader(new URL("file:///no/such/description.json"), (message) => told.push(message));
  expect([load(), load()]).toEqual([undefined, undefined]);
  expect(told).toEqual([expect.stringContaining("/no/such/description.json")]);
});
