import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGitHub } from "./index.ts";
import type { GitHubStandIn } from "./index.ts";
import { call, populate, startReceiver } from "./testing.ts";
import type { Receiver } from "./testing.ts";

let github: GitHubStandIn;
let app: Receiver;
let other: Receiver;
let owner: string;

beforeAll(async () => {
  app = await startReceiver();
  other = await startReceiver();
  github = await startGitHub();
  await populate(github, app.url);
  owner = await github.people.createUserToken({ login: "ana" });
});

afterAll(async () => {
  await github?.close();
  await app?.close();
  await other?.close();
});

describe.each(["/repos/acme/shop/hooks", "/orgs/acme/hooks"] as const)("hooks at %s", (root) => {
  it("send a ping, deliver signed forms with the same guid as the App's hook, and can be removed", async () => {
    other.received.length = 0;
    const config = { url: other.url, content_type: "form", secret: "s3cret" };
    const made = await call(github, `POST ${root}`, owner, { name: "web", config, events: ["issues"], active: true });
    expect(made.body["config"]).toEqual({
      url: other.url,
      content_type: "form",
      secret: "********",
      insecure_ssl: "0",
    });
    await github.settled();
    expect(other.received.map(({ headers }) => headers["x-github-event"])).toEqual(["ping"]);
    const again = await call(github, `POST ${root}`, owner, { name: "web", config, events: ["issues"] });
    expect([again.status, again.body["errors"][0].message]).toEqual([422, "Hook already exists on this repository"]);

    app.received.length = 0;
    await github.people.openIssue({ as: "ana", repo: "acme/shop", title: "Form" });
    const got = other.received.at(-1)!;
    const payload = JSON.parse(new URLSearchParams(got.body).get("payload")!) as Record<string, unknown>;
    expect(payload).toMatchObject({ action: "opened", issue: { title: "Form" } });
    expect(payload).not.toHaveProperty("installation");
    expect(got.headers["x-github-delivery"]).toBe(app.received.at(-1)!.headers["x-github-delivery"]);
    expect(got.headers["x-github-hook-id"]).not.toBe(app.received.at(-1)!.headers["x-github-hook-id"]);

    const id = made.body["id"] as number;
    const deliveries = await call<object[]>(github, `GET ${root}/${id}/deliveries`, owner);
    expect(deliveries.body[0]).toMatchObject({ event: "issues", status_code: 202 });
    const patched = await call(github, `PATCH ${root}/${id}`, owner, {
      config: { url: other.url, content_type: "json" },
    });
    expect(patched.body["config"]).not.toHaveProperty("secret");
    expect((await call(github, `DELETE ${root}/${id}`, owner)).status).toBe(204);
    const heard = other.received.length;
    await github.people.openIssue({ as: "ana", repo: "acme/shop", title: "Unheard" });
    expect(other.received).toHaveLength(heard);
    github.assertClean();
  });
});
