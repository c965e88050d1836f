import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { failing } from "../../../../test/providers/github/index.ts";
import {
  aSource,
  aTarget,
  patiently,
  startSignedIn,
  type SignedIn,
} from "../../../../test/providers/github/signed-in.ts";

let world: SignedIn;
beforeAll(async () => {
  world = await startSignedIn();
}, 60_000);
afterAll(() => world?.close());
afterEach(() => world.github.clearFailures());

const person = (databaseId: number) => ({ editor: { databaseId } });

/** Reads a comment again that is not the text of the event any more. GitHub answers the question for its edits with `edits`, or with an error. */
async function editorsOfComment(edits: object | undefined): Promise<readonly string[] | undefined> {
  const { people } = world.github;
  const { number } = await people.openIssue({ as: "ana", repo: "acme/shop", title: "T", body: "B" });
  const { id } = await people.comment({ as: "ana", repo: "acme/shop", number, body: "@bellhop fix the login" });
  const textSHA256 = createHash("sha256").update("@bellhop fix teh login").digest("hex");
  const data = { node: { userContentEdits: edits } };
  world.github.fail(
    { path: "/api/graphql" },
    edits ? { kind: "answer", status: 200, body: { data } } : failing.notFound(),
    { times: 1 },
  );
  const source = { ...aSource("IssueComment", id, { number }), textSHA256 };
  const { source: reader } = await world.connect();
  const reread = await reader?.reread(aTarget(world, source), patiently);
  expect(reread).toMatchObject({ found: true, text: "@bellhop fix the login" });
  return reread?.found ? reread.editors : undefined;
}

it("names everybody who edited a text that is not that of the event any more", async () => {
  expect(await editorsOfComment({ totalCount: 2, nodes: [person(501), person(501)] })).toEqual(["501"]);
  expect(await editorsOfComment({ totalCount: 2, nodes: [person(501), person(8)] })).toEqual(["501", "8"]);
});

it.each<[string, object | undefined]>([
  ["the server does not know the question", undefined],
  ["the text has no history", { totalCount: 0, nodes: [] }],
  ["an editor's account was deleted", { totalCount: 2, nodes: [person(501), { editor: null }] }],
  ["there are more edits than it lists", { totalCount: 101, nodes: [person(501)] }],
  ["the answer is empty", {}],
])("names nobody if %s", async (_what, edits) => {
  expect(await editorsOfComment(edits)).toBeUndefined();
});
