import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { needsFile } from "../../../test/needs.ts";
import { patiently, startSignedIn, type SignedIn } from "../../../test/providers/github/signed-in.ts";
import { specFile } from "../../../test/providers/github/spec-check.ts";
import { call } from "../../../test/providers/github/testing.ts";
import type { Connection } from "../connection.ts";

let world: SignedIn;
let connection: Connection;

beforeAll(async () => {
  world = await startSignedIn();
}, 60_000);
afterAll(() => world?.close());
beforeEach(async () => {
  connection = await world.connect();
});

const people = (): SignedIn["github"]["people"] => world.github.people;
const openIssue = (): Promise<{ id: number; number: number }> =>
  people().openIssue({ as: "ana", repo: "acme/shop", title: "Login fails", body: "It does not." });
const sentToGitHub = (method: string, path: RegExp): number =>
  world.github.requests.filter((request) => request.method === method && path.test(request.path)).length;

describe("installer", () => {
  const secret = "a webhook secret of ours";
  const desired = (url: string, more = {}): Parameters<NonNullable<Connection["hooks"]>["ensure"]>[0] => ({
    url,
    secret,
    known: [],
    takeOver: false,
    rewriteSecret: false,
    ...more,
  });

  it("sets and repairs the App's hook, does not write it if it is right, and does not overwrite another system's hook", async () => {
    const url = world.hookURL("abc");
    expect(await connection.hooks?.ensure(desired(url), patiently)).toMatchObject({
      hooks: [{ target: "app" }],
      failures: [],
    });
    const patches = sentToGitHub("PATCH", /\/app\/hook\/config/);
    await connection.hooks?.ensure(desired(url), patiently);
    expect(sentToGitHub("PATCH", /\/app\/hook\/config/)).toBe(patches);
    await connection.hooks?.ensure(desired(url, { rewriteSecret: true }), patiently);
    expect(sentToGitHub("PATCH", /\/app\/hook\/config/)).toBe(patches + 1);
    const elsewhere = connection.hooks?.ensure(desired("https://other.example/hooks/abc"), patiently);
    await expect(elsewhere).rejects.toMatchObject({ code: "ForeignHook", message: /takeOver/ });
    await connection.hooks?.remove([{ target: "app" }], [url], patiently);
    expect(sentToGitHub("PATCH", /\/app\/hook\/config/)).toBe(patches + 2);
    await connection.hooks?.ensure(desired("https://other.example/hooks/abc", { takeOver: true }), patiently);
    await connection.hooks?.ensure(desired(url, { takeOver: true }), patiently);
  });

  it.each([
    {
      of: "each repository",
      spec: { repositories: ["acme/shop"] },
      target: "acme/shop",
      hooks: "/repos/acme/shop/hooks" as const,
    },
    { of: "the organisation", spec: { organization: "acme" }, target: "acme", hooks: "/orgs/acme/hooks" as const },
  ])(
    "with a token keeps one hook of $of, repairs drift, removes surplus hooks, and removes all in the end",
    async (at) => {
      const { token, installer } = await withToken(at.spec);
      const list = async (): Promise<object> => (await call(world.github, `GET ${at.hooks}`, token)).body;
      const url = world.hookURL(at.target.replace("/", "-"));
      const made = (await installer.ensure(desired(url), patiently)).hooks[0]!;
      expect(made.target).toBe(at.target);

      await call(world.github, `PATCH ${at.hooks}/${made.id}`, token, { active: false, events: ["push"] });
      await call(world.github, `POST ${at.hooks}`, token, {
        name: "web",
        config: { url, content_type: "json", secret: "x" },
        events: ["issues"],
      });
      expect((await installer.ensure(desired(url, { known: [made] }), patiently)).hooks).toEqual([made]);
      expect(await list()).toMatchObject([
        { id: Number(made.id), active: true, config: { url, content_type: "json", insecure_ssl: "0" } },
      ]);
      const before = sentToGitHub("PATCH", /\/hooks\//);
      await installer.ensure(desired(url, { known: [made] }), patiently);
      expect(sentToGitHub("PATCH", /\/hooks\//)).toBe(before);
      await installer.remove([made], [url], patiently);
      await installer.remove([made], [url], patiently);
      expect(await list()).toEqual([]);
    },
  );
});

/** The provider, signed in with a personal access token of ana. */
async function withToken(spec: object, status?: Parameters<SignedIn["integration"]>[1]) {
  const token = await people().createUserToken({ login: "ana" });
  const credentials = { token: { secretRef: { name: "token", key: "t" } } };
  const { hooks: installer, missed: deliveries } = await world.connect(
    world.integration({ credentials, ...spec }, status),
    token,
  );
  if (!installer || !deliveries) throw new Error("GitHub installs hooks and keeps a log of deliveries");
  return { token, installer, deliveries };
}

describe("deliveries", () => {
  it("redelivers each event that got no 2xx answer once, and looks at the last minute again", async () => {
    await connection.hooks?.ensure(
      { url: world.hookURL("log"), secret: "a secret of ours", known: [], takeOver: false, rewriteSecret: false },
      patiently,
    );
    const since = new Date(Date.now() - 2000);
    world.receiver.answer(503);
    const issue = await openIssue();
    await world.github.settled();
    world.receiver.answer(202);
    await people().comment({ as: "ana", repo: "acme/shop", number: issue.number, body: "arrives" });
    await world.github.settled();
    const missed = world.github
      .deliveries()
      .filter(({ statusCode, deliveredAt }) => statusCode === 503 && Date.parse(deliveredAt) > since.getTime());
    expect(missed.length).toBeGreaterThan(0);
    const before = world.receiver.received.length;
    const first = await connection.missed?.redeliverMissed(since, patiently);
    await world.github.settled();
    expect(first?.asked).toBe(missed.length);
    expect(world.receiver.received.slice(before).map(({ headers }) => headers["x-github-delivery"])).toEqual(
      missed.map(({ guid }) => guid),
    );
    expect(await connection.missed?.redeliverMissed(since, patiently)).toMatchObject({ asked: 0 });
    expect(first?.cursor).toEqual(since);
  });

  it.each([
    { of: "a repository", spec: { repositories: ["acme/shop"] } },
    { of: "an organisation", spec: { organization: "acme" } },
  ])("are also redelivered for the hook of $of", async ({ of, spec }) => {
    const { installer } = await withToken(spec);
    const url = world.hookURL(of.replace(" ", "-"));
    const { hooks } = await installer.ensure(
      { url, secret: "a secret of ours", known: [], takeOver: false, rewriteSecret: false },
      patiently,
    );
    const { deliveries } = await withToken(spec, { hooks });
    const since = new Date(Date.now() - 2000);
    // Its ping is answered.
    await world.github.settled();
    const heard = (): (string | string[] | undefined)[] =>
      world.receiver.received
        .filter(({ path, headers }) => path === new URL(url).pathname && headers["x-github-event"] === "issues")
        .map(({ headers }) => headers["x-github-delivery"]);
    world.receiver.answer(503);
    await openIssue();
    await world.github.settled();
    world.receiver.answer(202);
    const [missed] = heard();
    expect(missed).toBeDefined();
    expect(await deliveries.redeliverMissed(since, patiently)).toMatchObject({ asked: 1 });
    await world.github.settled();
    expect(heard()).toEqual([missed, missed]);
    await installer.remove(hooks, [url], patiently);
  });
});

it("called only routes that the stand-in has", () => {
  expect(world.github.requests.filter(({ operation }) => operation === null)).toEqual([]);
});

it("sent only requests that GitHub's description allows", (context) => {
  needsFile(context, specFile);
  world.github.assertClean();
});
