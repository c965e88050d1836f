import { describe, expect, it } from "vitest";
import { encodeSocketStates, socketStatesAnnotation, type SocketState } from "../../intake/socket-states.ts";
import { slack } from "../../integrations/slack/index.ts";
import { aSlackApp } from "../../integrations/slack/testing.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { Lease } from "../../kube/resources.ts";
import type { Request } from "../../kube/types.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { socketFollower } from "./follow-sockets.ts";
import { socketVerdict } from "./socket.ts";
import { aSource } from "./unit/testing.ts";

const now = new Date("2026-03-01T12:00:30Z");
const since = "2026-03-01T12:00:00.000Z";
const [uid, name] = ["uid-of-slack", "Socket Mode"];

function aLease(states: Record<string, SocketState>, renewTime = "2026-03-01T12:00:28.000000Z"): Lease {
  const annotations = { [socketStatesAnnotation]: encodeSocketStates(new Map(Object.entries(states))) };
  return {
    metadata: { name: "bellhop-gateway-sockets", namespace: "bellhop", annotations },
    spec: { holderIdentity: "bellhop-gateway-7f9c-abcde_0a1b2c3d", renewTime },
  };
}

const verdict = (lease: Lease | undefined) => socketVerdict({ lease, uid, name }, now);

describe("the condition of an integration without a webhook", () => {
  it("says since when it is connected and which gateway holds the connection", () => {
    expect(verdict(aLease({ [uid]: { connected: true, since } }))).toEqual({
      type: "WebhookInstalled",
      status: "True",
      reason: "Connected",
      message: `Connected by Socket Mode since ${since}, held by gateway bellhop-gateway-7f9c-abcde.`,
    });
  });

  it.each([
    ["nobody has the Lease", { metadata: { name: "x" } }, "NoGateway", /look at the gateways' pods/],
    ["there is no Lease", undefined, "NoGateway", /one takes it within a minute/],
    [
      "the holder has stopped renewing the Lease",
      aLease({ [uid]: { connected: true, since } }, "2026-03-01T11:59:29.000000Z"),
      "NoGateway",
      /no gateway holds/,
    ],
    ["the holder does not know the token yet", aLease({}), "GatewayBehind", /has not loaded the token/],
    [
      "the annotation is not readable",
      { ...aLease({}), metadata: { name: "x", annotations: { [socketStatesAnnotation]: '{"a":1}' } } },
      "GatewayBehind",
      /has not loaded the token/,
    ],
    [
      "the provider refuses",
      aLease({ [uid]: { connected: false, since, reason: "SocketModeOff", message: "Turn it on." } }),
      "SocketModeOff",
      /not connected by Socket Mode since .*: Turn it on\.$/,
    ],
  ])("is False and says why if %s", (_name, lease, reason, message) => {
    expect(verdict(lease)).toMatchObject({
      type: "WebhookInstalled",
      status: "False",
      reason,
      message: expect.stringMatching(message) as string,
    });
  });
});

describe("the states of the connections in the Lease", () => {
  it("stay within the size of an annotation, without messages if there are too many", () => {
    const many = Array.from({ length: 1_500 }, (_, at): [string, SocketState] => [
      `uid-${at}`,
      { connected: false, since, reason: "Unauthorized", message: "x".repeat(1_000) },
    ]);
    expect(Buffer.byteLength(encodeSocketStates(new Map(many)))).toBeLessThan(200_000);
    expect(verdict(aLease({ [uid]: many[0]?.[1] ?? { connected: true, since } })).message).toMatch(/x{300}$/);
  });
});

describe("the follower of the Lease", () => {
  const spec = {
    credentials: {
      botTokenSecretRef: { name: "slack", key: "token" },
      appTokenSecretRef: { name: "slack", key: "app" },
    },
  };
  const overSocket: Integration = { ...aSlackApp(spec), metadata: { name: "slack", namespace: "team", uid } };
  const byWebhook: Integration = { ...aSlackApp(), metadata: { name: "hooked", namespace: "team", uid: "other" } };

  it("reconciles an integration when its report changes, and not with each renewal", async () => {
    const enqueued: Request[] = [];
    let lease: Lease | undefined;
    const clock = new FakeClock(now);
    const reconcile = socketFollower({
      sources: [aSource([overSocket, byWebhook], slack)],
      socketLease: () => lease,
      clock,
      enqueue: (kind, request) => void (kind === "SlackApp" && enqueued.push(request)),
    });
    const renewed = async (next: Lease | undefined): Promise<number> => {
      lease = next;
      await reconcile({ namespace: "bellhop", name: "bellhop-gateway-sockets" }, AbortSignal.timeout(1_000));
      return enqueued.splice(0).length;
    };
    expect(await renewed(undefined)).toBe(1);
    expect(await renewed(aLease({ [uid]: { connected: true, since } }))).toBe(1);
    expect(await renewed(aLease({ [uid]: { connected: true, since } }, "2026-03-01T12:00:30.000000Z"))).toBe(0);
    await clock.advance(120_000);
    // The holder has died: nothing changes the Lease, but the report changes.
    expect(await renewed(lease)).toBe(1);
  });
});
