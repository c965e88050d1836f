import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGitHub } from "./index.ts";
import type { GitHubStandIn } from "./index.ts";
import { call, populate, startReceiver } from "./testing.ts";
import type { Receiver } from "./testing.ts";

let github: GitHubStandIn;
let receiver: Receiver;
let token: string;
let installation: number;

beforeAll(async () => {
  receiver = await startReceiver();
  github = await startGitHub();
  ({ token, installation } = await populate(github, receiver.url));
});

afterAll(async () => {
  await github?.close();
  await receiver?.close();
});

describe("the stand-in's core", () => {
  it("delivers a comment to the App's hook, signed and with GitHub's headers", async () => {
    const issue = await github.people.openIssue({
      as: "ana",
      repo: "acme/shop",
      title: "Login fails",
      body: "It does.",
    });
    receiver.received.length = 0;
    await github.people.comment({ as: "ana", repo: "acme/shop", number: issue.number, body: "@bellhop please" });
    const [got] = receiver.received;
    const mac = createHmac("sha256", "It's a Secret to Everybody").update(got!.body).digest("hex");
    expect(got!.headers["x-hub-signature-256"]).toBe(`sha256=${mac}`);
    expect(got!.headers).toMatchObject({
      "x-github-event": "issue_comment",
      "content-type": "application/json",
      "x-github-hook-installation-target-type": "integration",
      "x-github-hook-installation-target-id": String(github.app("bellhop").id),
    });
    expect(got!.headers["user-agent"]).toMatch(/^GitHub-Hookshot\//);
    expect(JSON.parse(got!.body)).toMatchObject({
      action: "created",
      comment: { body: "@bellhop please", user: { login: "ana" } },
      issue: { number: issue.number, comments: 1 },
      repository: { full_name: "acme/shop" },
      organization: { login: "acme" },
      installation: { id: installation },
      sender: { login: "ana" },
    });
  });

  it("answers a sequence of REST calls as GitHub's description says", async () => {
    const issue = await github.people.openIssue({ as: "ana", repo: "acme/shop", title: "Another" });
    const root = "/repos/acme/shop";
    const jwt = github.appJwt("bellhop");
    expect((await call(github, "GET /app", jwt)).body["slug"]).toBe("bellhop");
    expect((await call(github, "GET /app/installations", jwt)).body).toHaveLength(1);
    expect((await call(github, `GET ${root}/installation`, jwt)).body["id"]).toBe(installation);
    const minted = await call(github, `POST /app/installations/${installation}/access_tokens`, jwt, {
      repositories: ["shop"],
      permissions: { issues: "write", metadata: "read" },
    });
    expect(minted.status).toBe(201);
    expect(minted.body["token"]).toMatch(/^ghs_\d+_eyJ/);
    const mine = minted.body["token"] as string;
    const made = await call(github, `POST ${root}/issues/${issue.number}/comments`, mine, { body: "on it" });
    expect(made.status).toBe(201);
    expect(made.body["user"].login).toBe("bellhop[bot]");
    const id = made.body["id"] as number;
    expect((await call(github, `PATCH ${root}/issues/comments/${id}`, mine, { body: "done" })).body["body"]).toBe(
      "done",
    );
    expect((await call(github, `POST ${root}/issues/comments/${id}/reactions`, mine, { content: "eyes" })).status).toBe(
      201,
    );
    expect((await call(github, `POST ${root}/issues/comments/${id}/reactions`, mine, { content: "eyes" })).status).toBe(
      200,
    );
    expect((await call(github, `GET ${root}/issues/${issue.number}/comments`, mine)).body).toHaveLength(1);
    expect((await call(github, `GET ${root}`, mine)).status).toBe(200);
    expect((await call(github, `GET ${root}/collaborators/ana/permission`, mine)).body).toMatchObject({
      role_name: "admin",
    });
    expect((await call(github, "GET /app/hook/deliveries", jwt)).body.length).toBeGreaterThan(0);
    expect((await call(github, "GET /app/hook/config", jwt)).body["secret"]).toBe("********");
    expect((await call(github, "GET /installation/repositories", mine)).body["total_count"]).toBe(1);
    expect((await call(github, "GET /rate_limit", mine)).status).toBe(200);
    expect((await call(github, `GET ${root}/contents/src/a.txt`, token)).body["content"]).toBe("b25lCnR3bwo=\n");
    github.assertClean();
  });

  it("opens a pull request once, and refuses a second and an empty one with GitHub's messages", async () => {
    await github.people.pushCommit({ as: "ana", repo: "acme/shop", branch: "fix", files: { "src/a.txt": "one\n2\n" } });
    const root = "/repos/acme/shop";
    const body = { title: "Fix", head: "fix", base: "main", draft: true };
    const made = await call(github, `POST ${root}/pulls`, token, body);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      draft: true,
      commits: 1,
      changed_files: 1,
      additions: 1,
      deletions: 1,
      mergeable: true,
    });
    const again = await call(github, `POST ${root}/pulls`, token, body);
    expect(again.body["errors"][0].message).toBe("A pull request already exists for acme:fix.");
    const main = await call(github, `GET ${root}/git/ref/heads/main`, token);
    await call(github, `POST ${root}/git/refs`, token, { ref: "refs/heads/same", sha: main.body["object"].sha });
    const empty = await call(github, `POST ${root}/pulls`, token, { ...body, head: "same" });
    expect([empty.status, empty.body["errors"][0].message]).toEqual([422, "No commits between main and same"]);
    const n = made.body["number"] as number;
    expect((await call(github, `GET ${root}/pulls?head=acme:fix`, token)).body).toHaveLength(1);
    expect((await call(github, `GET ${root}/pulls/${n}`, token)).status).toBe(200);
    expect((await call(github, `GET ${root}/pulls/${n}/files`, token)).body[0].patch).toContain("-two");
    const review = await github.people.review({
      as: "ana",
      repo: "acme/shop",
      number: n,
      comments: [{ path: "src/a.txt", line: 2, body: "@bellhop why?" }],
    });
    const thread = review.comments[0]!.id;
    const reply = await call(github, `POST ${root}/pulls/${n}/comments/${thread}/replies`, token, { body: "because" });
    expect(reply.body["in_reply_to_id"]).toBe(thread);
    expect(
      (await call(github, `POST ${root}/pulls/comments/${thread}/reactions`, token, { content: "eyes" })).status,
    ).toBe(201);
    expect((await call(github, `PATCH ${root}/pulls/${n}`, token, { title: "Better" })).body["title"]).toBe("Better");
    github.assertClean();
  });
});
