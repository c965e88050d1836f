import { findAccount } from "../state/find.ts";
import type { Account } from "../state/accounts.ts";
import { roleOf } from "../state/roles.ts";
import { viewAccount, viewFullAccount } from "../view/account.ts";
import { HttpFailure, notFound } from "./failure.ts";
import { ok, on, onRepo } from "./route.ts";
import type { Answer, Call, RepoCall, Route } from "./route.ts";

/** People, and what they may do on a repository. */
export const userRoutes: Route[] = [
  on("GET /user", "user", (call) => ok(viewFullAccount(call.world, self(call)))),
  on("GET /users/{username}", "everyone", (call) =>
    showAccount(call, findAccount(call.world, call.params["username"] ?? "")),
  ),
  on("GET /user/{account_id}", "everyone", (call) => showAccount(call, accountById(call))),
  onRepo("GET /repos/{owner}/{repo}/collaborators/{username}/permission", "read:metadata", permission),
];

function self(call: Call): Account {
  if (call.identity.kind === "user") return call.identity.user;
  throw new HttpFailure(403, "Resource not accessible by integration");
}

function accountById(call: Call): Account | undefined {
  return call.world.data.accounts.find((account) => account.id === Number(call.params["account_id"]));
}

function showAccount(call: Call, account: Account | undefined): Answer {
  if (!account) throw notFound();
  return ok(viewFullAccount(call.world, account));
}

/** `permission` has four values (maintain becomes write, triage becomes read); `role_name` has all roles. Bots and organisations are not users. */
function permission(call: RepoCall): Answer {
  const login = call.params["username"] ?? "";
  const account = findAccount(call.world, login);
  if (!account) throw notFound();
  if (account.type !== "User") throw new HttpFailure(404, `${login} is not a user`);
  const role = roleOf(account, call.repo);
  const legacy = { maintain: "write", triage: "read" }[role as string] ?? role;
  return ok({
    permission: legacy,
    role_name: role,
    user: {
      ...viewAccount(call.world, account),
      permissions: {
        admin: role === "admin",
        maintain: ["maintain", "admin"].includes(role),
        push: ["write", "maintain", "admin"].includes(role),
        triage: ["triage", "write", "maintain", "admin"].includes(role),
        pull: role !== "none",
      },
      role_name: role,
    },
  });
}
