import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aReport } from "../../../test/providers/reports.ts";
import { aSource, aTarget, patiently, startSignedIn, type SignedIn } from "../../../test/providers/github/signed-in.ts";

let world: SignedIn;

beforeAll(async () => {
  world = await startSignedIn();
}, 60_000);
afterAll(() => world?.close());

describe("a thread that takes no messages", () => {
  it.each([
    {
      name: "a locked issue",
      shut: (number: number) => world.github.people.lockIssue({ as: "ana", repo: "acme/shop", number }),
    },
    { name: "an archived repository", shut: () => world.github.people.archiveRepo({ repo: "acme/shop" }) },
  ])("of $name fails as locked, and says what opens it instead of asking for a permission", async ({ shut }) => {
    await world.github.people.archiveRepo({ repo: "acme/shop", archived: false });
    const { id, number } = await world.github.people.openIssue({ as: "ana", repo: "acme/shop", title: "Login fails" });
    await shut(number);
    const { thread } = await world.connect();
    const target = aTarget(world, aSource("Issue", id, { number }));
    await expect(thread?.post(target, aReport("Working"), "m", patiently)).rejects.toMatchObject({
      failure: "Locked",
      message: expect.stringMatching(/Nothing can be written there until somebody unlocks or unarchives it/) as string,
    });
  });
});
