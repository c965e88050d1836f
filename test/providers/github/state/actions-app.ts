import type { Account, App } from "./accounts.ts";

/** The App id of GitHub Actions, the same on every server. */
export const actionsAppId = 15368;

/** Creates the built-in accounts and Apps: GitHub itself, and GitHub Actions, as which nobody can sign in. */
export function builtIn(createdAt: string): { accounts: Account[]; apps: App[] } {
  const account = (id: number, login: string, type: Account["type"]): Account => ({
    id,
    login,
    type,
    name: login,
    email: `${id}+${login}@users.noreply.github.com`,
    createdAt,
    members: new Map(),
    basePermission: "read",
  });
  const owner = account(9919, "github", "Organization");
  const bot = account(41898282, "github-actions[bot]", "Bot");
  const actions: App = {
    id: actionsAppId,
    slug: "github-actions",
    name: "GitHub Actions",
    clientId: "Iv1.github-actions",
    owner,
    bot,
    permissions: { actions: "write", checks: "write", contents: "write", metadata: "read" },
    events: [],
    privateKey: "",
    publicKey: "",
    createdAt,
  };
  return { accounts: [owner, bot], apps: [actions] };
}
