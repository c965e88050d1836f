import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../../src/shared/fake-clock.ts";
import { startGitHub } from "./index.ts";
import type { GitHubStandIn } from "./index.ts";
import { call, populate } from "./testing.ts";

const hourMs = 60 * 60 * 1000;
let github: GitHubStandIn;
let clock: FakeClock;
let token: string;
let installation: number;

beforeEach(async () => {
  clock = new FakeClock();
  github = await startGitHub({ clock });
  ({ token, installation } = await populate(github));
  await github.people.createRepo({ repo: "acme/secret", files: { a: "a" } });
  await github.people.openIssue({ as: "ana", repo: "acme/shop", title: "One" });
});

afterEach(() => github.close());

describe("credentials at the stand-in", () => {
  it("expires an installation token after an hour, with GitHub's message", async () => {
    expect((await call(github, "GET /repos/acme/shop", token)).status).toBe(200);
    await clock.advance(hourMs);
    const late = await call(github, "GET /repos/acme/shop", token);
    expect([late.status, late.body["message"]]).toEqual([401, "Bad credentials"]);
  });

  it("revokes a token at its own request", async () => {
    expect((await call(github, "DELETE /installation/token", token)).status).toBe(204);
    expect((await call(github, "GET /repos/acme/shop", token)).status).toBe(401);
  });

  it("refuses all requests of a suspended installation until it is un-suspended", async () => {
    await github.people.suspendInstallation({ installation });
    const refused = await call(github, "GET /repos/acme/shop", token);
    expect([refused.status, refused.body["message"]]).toEqual([403, "This installation has been suspended"]);
    const jwt = github.appJwt("bellhop");
    expect((await call(github, `POST /app/installations/${installation}/access_tokens`, jwt, {})).status).toBe(403);
    expect((await call(github, `GET /app/installations/${installation}`, jwt)).body["suspended_at"]).not.toBeNull();
    await github.people.suspendInstallation({ installation, on: false });
    expect((await call(github, "GET /repos/acme/shop", token)).status).toBe(200);
  });

  it("hides a repository that a token does not cover, and names the missing permission on one that it covers", async () => {
    const mine = await github.people.createInstallationToken({
      installation,
      permissions: { issues: "read", metadata: "read" },
      repositories: ["shop"],
    });
    expect((await call(github, "GET /repos/acme/secret", mine)).status).toBe(404);
    expect((await call(github, "GET /repos/acme/shop/issues/1", mine)).status).toBe(200);
    const refused = await call(github, "POST /repos/acme/shop/issues/1/comments", mine, { body: "x" });
    expect([refused.status, refused.body["message"]]).toEqual([403, "Resource not accessible by integration"]);
    expect((await call(github, "GET /repos/acme/shop/contents/README.md", mine)).status).toBe(403);
  });

  it.each([
    {
      name: "permissions that it does not have",
      body: { permissions: { administration: "write" } },
      words: /permissions requested/,
    },
    {
      name: "a repository that it does not cover",
      body: { repositories: ["nowhere"] },
      words: /at least one repository/,
    },
  ])("mints no token for $name", async ({ body, words }) => {
    const jwt = github.appJwt("bellhop");
    const refused = await call(github, `POST /app/installations/${installation}/access_tokens`, jwt, body);
    expect([refused.status, refused.body["message"]]).toEqual([422, expect.stringMatching(words)]);
  });

  it("accepts an App's JWT for at most ten minutes, only with its own key, and only on routes for Apps", async () => {
    const long = await call(github, "GET /app", github.appJwt("bellhop", 700));
    expect([long.status, long.body["message"]]).toEqual([401, expect.stringMatching(/too far in the future/)]);
    const jwt = github.appJwt("bellhop");
    const forged = `${jwt.slice(0, -20)}${"A".repeat(20)}`;
    expect((await call(github, "GET /app", forged)).status).toBe(401);
    expect((await call(github, "GET /app", token)).status).toBe(401);
    expect((await call(github, "GET /repos/acme/shop", jwt)).status).toBe(403);
    await clock.advance(11 * 60 * 1000);
    expect((await call(github, "GET /app", jwt)).status).toBe(401);
  });

  it("applies a person's role: others see nothing private, a reader comments, an owner creates hooks", async () => {
    const stranger = await github.people.createUserToken({ login: "mallory" });
    expect((await call(github, "GET /user", stranger)).body["login"]).toBe("mallory");
    expect((await call(github, "GET /repos/acme/shop", stranger)).status).toBe(404);
    await github.people.setPermission({ repo: "acme/shop", login: "mallory", role: "read" });
    expect((await call(github, "POST /repos/acme/shop/issues/1/comments", stranger, { body: "hi" })).status).toBe(201);
    const hook = { config: { url: "http://127.0.0.1:9/x", content_type: "json" }, events: ["issues"] };
    expect((await call(github, "POST /repos/acme/shop/hooks", stranger, hook)).status).toBe(404);
    const owner = await github.people.createUserToken({ login: "ana" });
    expect((await call(github, "POST /repos/acme/shop/hooks", owner, hook)).status).toBe(201);
  });

  it("returns roles in both of GitHub's fields, finds people by id, and does not treat a bot as a user", async () => {
    await github.people.setPermission({ repo: "acme/shop", login: "mallory", role: "maintain" });
    const permission = await call(github, "GET /repos/acme/shop/collaborators/mallory/permission", token);
    expect(permission.body).toMatchObject({ permission: "write", role_name: "maintain", user: { login: "mallory" } });
    const { id } = permission.body["user"] as { id: number };
    expect((await call(github, `GET /user/${id}`, token)).body["login"]).toBe("mallory");
    const bot = await call(github, "GET /repos/acme/shop/collaborators/bellhop%5Bbot%5D/permission", token);
    expect([bot.status, bot.body["message"]]).toEqual([404, "bellhop[bot] is not a user"]);
  });
});
