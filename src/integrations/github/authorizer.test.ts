import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { failing } from "../../../test/providers/github/index.ts";
import { call } from "../../../test/providers/github/testing.ts";
import { aSource, patiently, startSignedIn, type SignedIn } from "../../../test/providers/github/signed-in.ts";
import { permissions, type RepositoryRef } from "../code-host.ts";
import type { AccessDecision } from "../connection.ts";

let world: SignedIn;
const ids = new Map<string, string>();
const people = ["owner", "maintainer", "writer", "triager", "reader", "stranger"] as const;
const roles = { Admin: "admin", Maintain: "maintain", Write: "write", Triage: "triage", Read: "read" } as const;
const personWith = {
  Admin: "owner",
  Maintain: "maintainer",
  Write: "writer",
  Triage: "triager",
  Read: "reader",
} as const;

beforeAll(async () => {
  world = await startSignedIn();
  const token = await world.github.people.createUserToken({ login: "ana" });
  for (const login of people) {
    await world.github.people.createUser({ login });
    const { body } = await call(world.github, `GET /users/${login}`, token);
    ids.set(login, String(body["id"]));
  }
  for (const permission of Object.keys(roles) as (keyof typeof roles)[]) {
    const [login, role] = [personWith[permission], roles[permission]];
    await world.github.people.setPermission({ repo: "acme/shop", login, role });
  }
}, 60_000);
afterAll(() => world?.close());
afterEach(() => world.github.clearFailures());

/** Whether a person may start tasks, with the permission that the integration needs. */
async function may(
  actor: { id: string; login: string },
  given: { needs?: string; repository?: RepositoryRef | undefined } = {},
): Promise<AccessDecision> {
  const access = given.needs === undefined ? {} : { access: { permission: given.needs } };
  const { authorizer } = await world.connect(world.integration(access));
  const repository = "repository" in given ? given.repository : world.repository;
  return authorizer.may({ source: aSource("Issue", 1, { number: 1 }), actor, repository }, patiently);
}
const person = (login: (typeof people)[number]): { id: string; login: string } => ({ id: ids.get(login) ?? "", login });

describe("may", () => {
  const levels = Object.keys(personWith) as (keyof typeof personWith)[];
  // The levels that the spec accepts.
  const needed = ["Write", "Maintain", "Admin"] as const;
  const cases = needed.flatMap((needs) =>
    levels.map((has) => ({ needs, has, allowed: permissions.indexOf(has) >= permissions.indexOf(needs) })),
  );

  it.each(cases)("with $has access where $needs is needed: $allowed", async ({ needs, has, allowed }) => {
    expect(await may(person(personWith[has]), { needs })).toEqual({
      allowed,
      isBot: false,
      login: personWith[has],
      has: `${has.toLowerCase()} access on acme/shop`,
      needs: `${needs.toLowerCase()} access or higher`,
    });
  });

  it("needs write access by default", async () => {
    expect(await may(person("writer"))).toMatchObject({ allowed: true, needs: "write access or higher" });
    expect(await may(person("triager"))).toMatchObject({ allowed: false });
  });

  it("refuses a person without access, and an account that does not exist", async () => {
    const none = { allowed: false, isBot: false, has: "no access on acme/shop" };
    expect(await may(person("stranger"))).toMatchObject({ ...none, login: "stranger" });
    expect(await may({ id: "99", login: "nobody" })).toMatchObject({ ...none, login: "nobody" });
  });

  it("refuses a bot and says that it is one", async () => {
    const { bot } = world.github.app("bellhop");
    expect(await may({ id: String(bot.id), login: bot.login })).toMatchObject({
      allowed: false,
      isBot: true,
      login: "bellhop[bot]",
    });
  });

  it("allows a bot that the integration lists by its id, and says why", async () => {
    const { bot } = world.github.app("bellhop");
    const listed = { id: String(bot.id), login: bot.login };
    const source = aSource("Issue", 1, { number: 1 });
    const { authorizer } = await world.connect(world.integration({ access: { bots: [listed] } }));
    expect(await authorizer.may({ source, actor: listed, repository: world.repository }, patiently)).toMatchObject({
      allowed: true,
      isBot: true,
      has: "an entry in spec.access.bots",
    });
  });

  it("identifies a person by the id, not by a login that belongs to somebody else", async () => {
    const { id } = person("reader");
    expect(await may({ id, login: "owner" })).toMatchObject({ allowed: false, login: "reader", has: /read access/ });
    expect(await may({ id: person("writer").id, login: "reader" })).toMatchObject({ allowed: true, login: "writer" });
  });

  it("takes a custom role for the role that it is based on", async () => {
    const user = { id: Number(person("stranger").id), login: "stranger" };
    const body = { permission: "write", role_name: "release-captain", user };
    world.github.fail({ path: /\/collaborators\// }, { kind: "answer", status: 200, body }, { times: 1 });
    expect(await may(person("stranger"))).toMatchObject({ allowed: true, has: "write access on acme/shop" });
  });

  it("refuses everybody on a repository that is gone", async () => {
    const gone = { ...world.repository, id: "7", name: "gone" };
    expect(await may(person("owner"), { repository: gone })).toMatchObject({
      allowed: false,
      isBot: false,
      has: "no access on acme/gone",
    });
  });

  it("refuses everybody for a task without a repository", async () => {
    expect(await may(person("owner"), { repository: undefined })).toMatchObject({
      allowed: false,
      has: "no repository",
    });
  });

  it("does not take an outage for a refusal", async () => {
    world.github.fail({ path: /\/collaborators\// }, failing.serverError());
    await expect(may(person("owner"))).rejects.toMatchObject({ code: "Unavailable", retryable: true });
  });
});
