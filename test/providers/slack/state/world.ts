import type { Clock } from "../../../../src/shared/clock.ts";
import type { App, InstallCode, Installation } from "./apps.ts";
import type { Channel } from "./channels.ts";
import type { Delivery, Outgoing } from "./deliveries.ts";
import type { Sockets } from "../socket/connections.ts";
import type { Enterprise, Team, User, UserGroup } from "./teams.ts";

/** The whole state of the stand-in. */
export interface Data {
  nextId: number;
  /** Microseconds of the latest `ts`, because each one is used once. */
  latestTs: number;
  enterprises: Enterprise[];
  teams: Team[];
  users: User[];
  groups: UserGroup[];
  apps: App[];
  installations: Installation[];
  codes: InstallCode[];
  channels: Channel[];
  deliveries: Delivery[];
  /** Ids of triggers that a person caused, with their time, to open views. */
  triggers: Map<string, number>;
  responseUrls: Map<string, ResponseUrl>;
  views: View[];
}

/** The address at which an app answers an interaction or command: five times within 30 minutes. */
export interface ResponseUrl {
  app: App;
  channel: Channel;
  user: User;
  /** The `ts` of the message with the clicked element, if there is one. */
  messageTs: string | null;
  threadTs: string | null;
  uses: number;
  createdAtMs: number;
}

/** An open modal. */
export interface View {
  id: string;
  app: App;
  team: Team;
  body: Record<string, unknown>;
}

/** The stand-in's state, and the functions that its parts share. */
export interface World {
  data: Data;
  clock: Clock;
  /** The server's address without trailing slash; the API is at `${baseUrl()}/api/`. */
  baseUrl: () => string;
  sockets: Sockets;
  /** Sends an event in the background. */
  emit: (outgoing: Outgoing) => void;
  /** Sends an interaction and waits for its answer. */
  ask: (outgoing: Outgoing) => Promise<Delivery>;
}

/** Creates an empty state. */
export function emptyData(): Data {
  return {
    nextId: 1,
    latestTs: 0,
    enterprises: [],
    teams: [],
    users: [],
    groups: [],
    apps: [],
    installations: [],
    codes: [],
    channels: [],
    deliveries: [],
    triggers: new Map(),
    responseUrls: new Map(),
    views: [],
  };
}

/** A new id in Slack's format: a prefix and ten letters or digits. */
export function newId(data: Data, prefix: string): string {
  const number = data.nextId++;
  return `${prefix}0${(number * 7_919 + 60_466_176).toString(36).toUpperCase().padStart(9, "0")}`;
}

/** A new `ts` from the clock: microseconds, later than all earlier ones. */
export function newTs(world: World): string {
  const { data, clock } = world;
  data.latestTs = Math.max(clock.now().getTime() * 1000, data.latestTs + 100);
  const micros = String(data.latestTs).padStart(16, "0");
  return `${micros.slice(0, -6)}.${micros.slice(-6)}`;
}

/** The current time in seconds. */
export function nowSeconds(world: World): number {
  return Math.floor(world.clock.now().getTime() / 1000);
}
