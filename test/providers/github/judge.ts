import type { Judge } from "../conformance.ts";
import type { SignedIn } from "./signed-in.ts";
import { actsInMarkdown, actsInMessage } from "./acts.ts";
import { call } from "./testing.ts";

const signal = new AbortController().signal;

/** Reads comments and pull requests as GitHub does. A squash merge makes a commit message of a pull request, so it is read as both. */
export function gitHubJudge(world: SignedIn): Judge {
  const { github, repository } = world;
  const token = github.people.createUserToken({ login: "ana" });
  const connection = world.connect();
  const commit = github.people.pushCommit({ repo: "acme/shop", as: "ana", branch: "judged", files: { judged: "x" } });
  let branches = 0;
  return {
    thread: async ({ source }) => {
      const path = `/repos/acme/shop/issues/${source.subject.number ?? 0}/comments?per_page=100` as const;
      const { body } = await call<{ id: number; body: string }[]>(github, `GET ${path}`, await token);
      return body.map((comment) => ({ id: String(comment.id), acts: actsInMarkdown(comment.body, repository.host) }));
    },
    change: {
      open: async (text) => {
        const headRef = `judged-${(branches += 1)}`;
        const made = { ref: `refs/heads/${headRef}`, sha: await commit };
        await call(github, "POST /repos/acme/shop/git/refs", await token, made);
        const { codeHost } = await connection;
        const opened = await codeHost?.openChange(repository, { headRef, baseRef: "main", text, draft: true }, signal);
        if (!opened) throw new Error("GitHub is a code host");
        const path = `/repos/acme/shop/pulls/${opened.number}` as const;
        const { body } = await call<{ title: string; body: string }>(github, `GET ${path}`, await token);
        return body;
      },
      acts: ({ title, body }) => [
        ...actsInMessage(title),
        ...actsInMarkdown(body, repository.host),
        ...actsInMessage(body),
      ],
      commit: actsInMessage,
    },
  };
}
