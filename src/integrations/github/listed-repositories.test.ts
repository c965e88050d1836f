import { afterAll, beforeAll, expect, it } from "vitest";
import { patiently, startSignedIn, type SignedIn } from "../../../test/providers/github/signed-in.ts";

let world: SignedIn;
beforeAll(async () => {
  world = await startSignedIn();
}, 60_000);
afterAll(() => world?.close());

it("returns the ids of the repositories in the spec, keeps known ids, and leaves out what it cannot read", async () => {
  const spec = { repositories: ["acme/Shop", "acme/renamed", "acme/nope"] };
  const known = {
    repositories: [
      { name: "acme/renamed", id: "77" },
      { name: "acme/dropped", id: "78" },
    ],
  };
  const signedIn = await world.connect(world.integration(spec, known));
  const { repositories } = await signedIn.identity.check(patiently);
  expect(repositories).toEqual([
    { name: "acme/Shop", id: world.repository.id },
    { name: "acme/renamed", id: "77" },
  ]);
});
