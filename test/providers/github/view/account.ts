import type { Account } from "../state/accounts.ts";
import type { World } from "../state/world.ts";
import { api, nodeId, web } from "./urls.ts";

/** GitHub's schema `simple-user`. */
export function viewAccount(world: World, account: Account): Record<string, unknown> {
  const user = api(world, `/users/${encodeURIComponent(account.login)}`);
  const page = account.type === "Bot" ? `/apps/${account.login.replace("[bot]", "")}` : `/${account.login}`;
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId(account.type, account.id),
    avatar_url: web(world, `/avatars/u/${account.id}`),
    gravatar_id: "",
    url: user,
    html_url: web(world, page),
    followers_url: `${user}/followers`,
    following_url: `${user}/following{/other_user}`,
    gists_url: `${user}/gists{/gist_id}`,
    starred_url: `${user}/starred{/owner}{/repo}`,
    subscriptions_url: `${user}/subscriptions`,
    organizations_url: `${user}/orgs`,
    repos_url: `${user}/repos`,
    events_url: `${user}/events{/privacy}`,
    received_events_url: `${user}/received_events`,
    type: account.type,
    user_view_type: "public",
    site_admin: false,
  };
}

/** GitHub's schema `simple-user`, or null. */
export function viewAccountOrNull(world: World, account: Account | null): Record<string, unknown> | null {
  return account && viewAccount(world, account);
}

/** GitHub's schema `public-user`, as `GET /user` and `GET /users/{login}` answer. */
export function viewFullAccount(world: World, account: Account): Record<string, unknown> {
  return {
    ...viewAccount(world, account),
    name: account.name,
    company: null,
    blog: "",
    location: null,
    email: account.email,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: world.data.repositories.filter((repo) => repo.owner === account && !repo.private).length,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: account.createdAt,
    updated_at: account.createdAt,
  };
}

/** GitHub's schema `organization-simple`, as webhooks carry it. */
export function viewOrganization(world: World, org: Account): Record<string, unknown> {
  const url = api(world, `/orgs/${org.login}`);
  return {
    login: org.login,
    id: org.id,
    node_id: nodeId("Organization", org.id),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: web(world, `/avatars/u/${org.id}`),
    description: "",
  };
}
