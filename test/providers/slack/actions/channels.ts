import type { Channel } from "../state/channels.ts";
import type { User } from "../state/teams.ts";
import { newId, nowSeconds } from "../state/world.ts";
import type { World } from "../state/world.ts";

/** Opens the direct message between two accounts, or the group of more of them. */
export function openDirectMessage(world: World, users: User[]): { channel: Channel; created: boolean } {
  const members = new Set(users.map(({ id }) => id));
  const kind = members.size > 2 ? "mpim" : "im";
  const known = world.data.channels.find(
    (channel) =>
      channel.kind === kind &&
      channel.members.size === members.size &&
      [...members].every((id) => channel.members.has(id)),
  );
  if (known) return { channel: known, created: false };
  const [creator] = users;
  if (!creator) throw new Error("Slack stand-in: a direct message needs at least one account.");
  const channel: Channel = {
    ...emptyChannel(world, creator),
    id: newId(world.data, kind === "im" ? "D" : "C"),
    kind,
    name: kind === "im" ? "" : `mpdm-${users.map(({ name }) => name).join("--")}-1`,
    members,
  };
  world.data.channels.push(channel);
  return { channel, created: true };
}

/** A public channel without members and name. */
export function emptyChannel(world: World, creator: User): Channel {
  return {
    id: newId(world.data, "C"),
    kind: "public",
    name: "",
    team: creator.team,
    sharedWith: [],
    creator,
    createdAt: nowSeconds(world),
    archived: false,
    members: new Set(),
    messages: [],
  };
}
