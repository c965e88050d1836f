import { decodeSocketStates, socketStatesAnnotation, type SocketState } from "../../intake/socket-states.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { Provider } from "../../integrations/provider.ts";
import type { Lease } from "../../kube/resources.ts";
import { installed, notInstalled, type Verdict } from "./status.ts";

/** A Lease that was not renewed for this time has no holder any more. Long, because clocks of nodes may differ. */
const staleMs = 60_000;

/** The connection of one integration, and the Lease in which its holder reports. */
export interface SocketReport {
  lease: Lease | undefined;
  /** Uid of the integration. */
  uid: string;
  /** The provider's name of this way of delivery. */
  name: string;
}

/** Whether deliveries of the integration arrive over a connection, so that it needs no hook and no URL. */
export function arrivesBySocket({ ingress }: Provider, integration: Integration): boolean {
  return ingress.socket?.settings(integration) !== undefined;
}

/** Pure: the condition of an integration without a webhook, from what the holder of the Lease claims. */
export function socketVerdict({ lease, uid, name }: SocketReport, now: Date): Verdict {
  const holder = holderOf(lease, now);
  if (holder === undefined) {
    return notInstalled(
      "NoGateway",
      `no gateway holds the connection of ${name}; one takes it within a minute. If this stays, look at the gateways' pods and logs`,
    );
  }
  const state = decodeSocketStates(lease?.metadata.annotations?.[socketStatesAnnotation]).get(uid);
  if (!state) return notInstalled("GatewayBehind", `gateway ${holder} has not loaded the token of ${name} yet`);
  if (!state.connected) return disconnected(state, name, holder);
  return installed("Connected", `Connected by ${name} since ${state.since}, held by gateway ${holder}.`);
}

function disconnected(
  { since, reason = "Disconnected", message = "" }: SocketState,
  name: string,
  holder: string,
): Verdict {
  const why = message === "" ? reason : message;
  return notInstalled(reason, `not connected by ${name} since ${since} (gateway ${holder}): ${why}`);
}

/** The pod that holds the Lease: its identity is the pod's name and a random part. */
function holderOf(lease: Lease | undefined, now: Date): string | undefined {
  const { holderIdentity, renewTime } = lease?.spec ?? {};
  if (!holderIdentity || now.getTime() - Date.parse(renewTime ?? "") > staleMs) return undefined;
  return holderIdentity.replace(/_[0-9a-f]+$/, "");
}
