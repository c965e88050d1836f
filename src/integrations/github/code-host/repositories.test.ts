import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { failing } from "../../../../test/providers/github/index.ts";
import { patiently, startSignedIn, type SignedIn } from "../../../../test/providers/github/signed-in.ts";
import type { CodeHost } from "../../code-host.ts";

let world: SignedIn;

beforeAll(async () => {
  world = await startSignedIn();
  await world.github.people.createOrg({ login: "other", members: { ana: "admin" } });
  await world.github.people.createRepo({ repo: "other/shop" });
  await world.github.people.createRepo({ repo: "acme/web" });
  await world.github.people.setVisibility({ repo: "acme/web", private: false });
}, 60_000);
afterAll(() => world?.close());
afterEach(() => world.github.clearFailures());

async function hostOf(spec: object = {}): Promise<CodeHost> {
  return (await world.connect(world.integration({ ...spec }))).codeHost!;
}
async function hostWithToken(spec: object = {}): Promise<CodeHost> {
  const token = await world.github.people.createUserToken({ login: "ana" });
  const credentials = { token: { secretRef: { name: "token", key: "t" } } };
  return (await world.connect(world.integration({ credentials, ...spec }), token)).codeHost!;
}

const atMost = (limit: number) => ({ limit, publicOnly: false });
const publicOnly = { limit: 100, publicOnly: true };

describe("repositoryNamed", () => {
  it("finds a covered repository, with its id and visibility", async () => {
    const host = await hostOf();
    expect(await host.repositoryNamed("acme/shop", patiently)).toEqual({ ...world.repository, private: true });
    expect(await host.repositoryNamed("ACME/Web", patiently)).toMatchObject({
      owner: "acme",
      name: "web",
      private: false,
    });
  });

  it("finds it with a token, too, and none of an organisation that the token reaches but the spec does not cover", async () => {
    const host = await hostWithToken();
    expect(await host.repositoryNamed("acme/shop", patiently)).toEqual({ ...world.repository, private: true });
    expect(await host.repositoryNamed("other/shop", patiently)).toBeUndefined();
  });

  it("finds no repository that the spec does not cover, and does not ask GitHub about it", async () => {
    const host = await hostOf({ repositories: ["acme/shop"] });
    const before = world.github.requests.length;
    expect(await host.repositoryNamed("acme/web", patiently)).toBeUndefined();
    expect(await host.repositoryNamed("other/shop", patiently)).toBeUndefined();
    expect(world.github.requests.length).toBe(before);
  });

  it.each([
    "",
    "acme",
    "acme/",
    "/shop",
    "acme/shop/issues",
    "acme/..",
    "acme/.",
    "acme/sh op",
    "acme/shop?x",
    "acme/shop#1",
  ])("does not ask GitHub about the name %o", async (name) => {
    const host = await hostOf();
    const before = world.github.requests.length;
    expect(await host.repositoryNamed(name, patiently)).toBeUndefined();
    expect(world.github.requests.length).toBe(before);
  });

  it("finds no repository that does not exist, or on whose owner the App is not installed", async () => {
    expect(await (await hostOf()).repositoryNamed("acme/nothing", patiently)).toBeUndefined();
    expect(await (await hostOf({ organization: "other" })).repositoryNamed("other/shop", patiently)).toBeUndefined();
  });

  it("finds no repository that was renamed to a name that the spec does not cover", async () => {
    const renamed = (name: string): object => ({ id: 77, name, owner: { login: "acme" }, private: false });
    const answer = (name: string): void =>
      void world.github.fail(
        { path: /^\/repos\/acme\/old$/ },
        { kind: "answer", status: 200, body: renamed(name) },
        { times: 1 },
      );
    const host = await hostOf({ repositories: ["acme/old", "acme/new"] });
    answer("elsewhere");
    expect(await host.repositoryNamed("acme/old", patiently)).toBeUndefined();
    answer("new");
    expect(await host.repositoryNamed("acme/old", patiently)).toMatchObject({ id: "77", name: "new" });
  });

  it("does not take an outage for a missing repository", async () => {
    world.github.fail({ path: /^\/repos\/acme\/shop$/ }, failing.serverError());
    await expect((await hostOf()).repositoryNamed("acme/shop", patiently)).rejects.toMatchObject({
      code: "Unavailable",
    });
  });
});

describe("repositoryNames", () => {
  it("lists the repositories of the spec without a request", async () => {
    const host = await hostWithToken({ repositories: ["acme/web", "acme/shop", "other/shop"], organization: "acme" });
    const before = world.github.requests.length;
    expect(await host.repositoryNames(atMost(100), patiently)).toEqual(["acme/web", "acme/shop"]);
    expect(await host.repositoryNames(atMost(1), patiently)).toEqual(["acme/web"]);
    expect(world.github.requests.length).toBe(before);
  });

  it("lists those that the App is installed on, sorted", async () => {
    const host = await hostOf();
    expect(await host.repositoryNames(atMost(100), patiently)).toEqual(["acme/shop", "acme/web"]);
    expect(await host.repositoryNames(atMost(1), patiently)).toEqual(["acme/shop"]);
    await world.github.people.selectRepositories({ installation: world.installation, repositories: ["web"] });
    expect(await host.repositoryNames(atMost(100), patiently)).toEqual(["acme/web"]);
  });

  it("leaves private ones out if the names are for everybody", async () => {
    expect(await (await hostOf()).repositoryNames(publicOnly, patiently)).toEqual(["acme/web"]);
    const repositories = ["acme/shop", "acme/gone", "acme/web"];
    const host = await hostWithToken({ repositories });
    expect(await host.repositoryNames(publicOnly, patiently)).toEqual(["acme/web"]);
    expect(await host.repositoryNames({ ...publicOnly, limit: 0 }, patiently)).toEqual([]);
  });

  it("asks for one list if an App has to leave private ones out, and goes on without owners that did not install it", async () => {
    const repositories = [
      ...Array.from({ length: 30 }, (_, index) => `acme/r${index}`),
      "ACME/web",
      "acme/shop",
      "other/shop",
    ];
    const host = await hostOf({ organization: undefined, repositories });
    expect(await host.repositoryNames(publicOnly, patiently)).toEqual(["acme/web"]);
    const before = world.github.requests.length;
    expect(await host.repositoryNames(publicOnly, patiently)).toEqual(["acme/web"]);
    expect(
      world.github.requests
        .slice(before)
        .filter(({ path }) => path.startsWith("/api/v3/repos") || path.startsWith("/repos")),
    ).toEqual([]);
  });

  it("reads no more repositories of the spec than it may return to leave private ones out", async () => {
    const host = await hostWithToken({ repositories: Array.from({ length: 30 }, (_, index) => `acme/r${index}`) });
    const before = world.github.requests.length;
    expect(await host.repositoryNames({ ...publicOnly, limit: 20 }, patiently)).toEqual([]);
    expect(world.github.requests.length - before).toBe(20);
  });

  it("lists nothing for a token and an organisation, because a token has no list of its own", async () => {
    expect(await (await hostWithToken()).repositoryNames(atMost(100), patiently)).toEqual([]);
  });

  it("says where the App is missing if it is not installed on the organisation", async () => {
    await expect(
      (await hostOf({ organization: "other" })).repositoryNames(atMost(100), patiently),
    ).rejects.toMatchObject({
      code: "NotFound",
      message: /not installed on other/,
    });
  });
});

it("reads the list page by page, and stops at its last page", async () => {
  const page = (from: number, count: number): object => ({
    repositories: Array.from({ length: count }, (_, index) => ({ full_name: `acme/r${from + index}` })),
  });
  const path = /^\/installation\/repositories/;
  const pages = [page(100, 100), page(200, 1)].map((body) =>
    world.github.fail({ path }, { kind: "answer", status: 200, body }, { times: 1 }),
  );
  world.github.fail({ path }, failing.serverError());
  const names = await (await hostOf()).repositoryNames(atMost(1000), patiently);
  expect(names).toHaveLength(101);
  expect(names.at(-1)).toBe("acme/r200");
  expect(pages.map(({ hits }) => hits)).toEqual([1, 1]);
});
