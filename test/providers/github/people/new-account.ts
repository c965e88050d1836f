import type { Account } from "../state/accounts.ts";
import { findAccount } from "../state/find.ts";
import { newId, timestamp } from "../state/world.ts";
import type { World } from "../state/world.ts";

/** Creates an account of any kind. */
export function newAccount(world: World, login: string, type: Account["type"], name?: string): Account {
  if (findAccount(world, login)) throw new Error(`GitHub stand-in: the account ${login} already exists.`);
  const id = newId(world);
  const account: Account = {
    id,
    login,
    type,
    name: name ?? login,
    email: `${id}+${login}@users.noreply.github.com`,
    createdAt: timestamp(world),
    members: new Map(),
    basePermission: "read",
  };
  world.data.accounts.push(account);
  return account;
}
