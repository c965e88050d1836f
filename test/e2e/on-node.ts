import { inject } from "vitest";
import { prepared } from "../cluster/prepared.ts";

/** Why the tests of this project cannot run on this machine; undefined if they can. */
export const lacksNode = (await prepared(inject("preparedFile"))).lacks;

/**
 * For `beforeAll` and `afterAll` of tests that need a node: does nothing where none can run, because the tests themselves are skipped there (each-setup.ts). vitest
 * runs both also if every test is skipped.
 */
export function onNode(prepare: () => Promise<unknown>): () => Promise<unknown> {
  return lacksNode === undefined ? prepare : async () => {};
}
