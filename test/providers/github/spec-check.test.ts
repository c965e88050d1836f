import { beforeEach, describe, expect, it } from "vitest";
import { needsFile } from "../../needs.ts";
import { routes } from "./rest/table.ts";
import { loadSpec, specFile } from "./spec-check.ts";
import { uncheckedOperations } from "./unchecked-operations.ts";

/** Needs GitHub's description beside the checkout (shared/fixtures/github/spec). A user's clone does not have it. */
describe("the check against GitHub's description", () => {
  beforeEach((context) => needsFile(context, specFile));
  const spec = loadSpec()!;

  it("serves every operation of the description", () => {
    const served = new Set(routes.map((route) => route.operation));
    expect([...spec.operations].filter((operation) => !served.has(operation))).toEqual([]);
  });

  it("checks all operations except the listed ones", () => {
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
  ])("finds the faults of the query ?$query", ({ query, faults }) => {
    const operation = "GET /repos/{owner}/{repo}/pulls";
    const exchange = { operation, query: new URLSearchParams(query), requestBody: undefined, status: 200 };
    expect(spec.check({ ...exchange, responseBody: [] }).map(({ message }) => message)).toEqual(faults);
  });

  const comment = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments";

  it.each([
    { name: "a body of the wrong type", requestBody: { body: 7 }, message: "/body must be string" },
    { name: "a body without a required field", requestBody: {}, message: "/ must have required property 'body'" },
    { name: "a missing body", requestBody: undefined, message: "requires a body, but got none" },
  ])("finds $name in a request", ({ requestBody, message }) => {
    const exchange = { operation: comment, query: new URLSearchParams(), requestBody, status: 201, responseBody: {} };
    const found = spec.check(exchange).filter(({ side }) => side === "request");
    expect(found.map((violation) => violation.message)).toEqual([message]);
  });

  it("finds a missing field in an answer, and a status that the description does not have", () => {
    const exchange = { operation: comment, query: new URLSearchParams(), requestBody: { body: "x" } };
    const lacking = spec.check({ ...exchange, status: 201, responseBody: {} });
    expect(lacking.map(({ message }) => message)).toContain("/ must have required property 'node_id'");
    const strange = spec.check({ ...exchange, status: 202, responseBody: {} });
    expect(strange.map(({ message }) => message)).toEqual(["may not answer 202"]);
  });
});
