import { z } from "zod";
import { timestamp } from "../api/common.ts";

/**
 * The Lease of the gateway that holds the connections of all integrations without a webhook. Its holder writes the state of each connection into
 * an annotation with every renewal: it is the only object that gateways may change.
 */
export const socketLeaseName = "bellhop-gateway-sockets";
export const socketStatesAnnotation = "bellhop.dev/sockets";

/** The annotations of an object have 256 KiB. */
const maxBytes = 200_000;
const maxMessage = 300;

/** The state of one connection, as its holder claims it. */
export const socketState = z.object({
  connected: z.boolean(),
  /** Since when the connection is in this state, RFC 3339. */
  since: timestamp,
  /** Why it is not connected; becomes a condition. */
  reason: z
    .string()
    .regex(/^[A-Z][A-Za-z]{0,62}$/)
    .optional(),
  message: z.string().max(maxMessage).optional(),
});
export type SocketState = z.infer<typeof socketState>;

const states = z.record(z.string().max(64), socketState);

/** Encodes the states by uid of their integration. Messages are cut, and left out if there are too many. */
export function encodeSocketStates(of: ReadonlyMap<string, SocketState>): string {
  const all = [...of].map(
    ([uid, { message, ...state }]) =>
      [uid, { ...state, ...(message === undefined ? {} : { message: message.slice(0, maxMessage) }) }] as const,
  );
  const text = JSON.stringify(Object.fromEntries(all));
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const short = all.map(([uid, { connected, since, reason }]) => [uid, { connected, since, reason }] as const);
  return JSON.stringify(Object.fromEntries(short));
}

/** Decodes the annotation; no state if it is missing or not readable. */
export function decodeSocketStates(text: string | undefined): ReadonlyMap<string, SocketState> {
  if (text === undefined) return new Map();
  try {
    return new Map(Object.entries(states.parse(JSON.parse(text))));
  } catch {
    return new Map(); // the holder writes it again with its next renewal
  }
}
