import { services } from "../../kube/resources.ts";
import type { KubeClient, Reconciler } from "../../kube/types.ts";
import type { InstallationFacts } from "../../sandbox/pod/settings.ts";
import type { Clock } from "../../shared/clock.ts";
import { BellhopError } from "../../shared/errors.ts";
import { keepKeys, type KeysDeps } from "./keys.ts";

/** Dependencies of `keepInstallation`. */
export interface InstallationDeps extends KeysDeps {
  client: KubeClient;
  clock: Clock;
  /** The broker's Service, to look up its cluster IP; absent on the process node of the tests, which reaches the broker at 127.0.0.1. */
  brokerService: { namespace: string; name: string } | undefined;
}

/** The only request of the installation controller. */
export const installationRequest = { namespace: "", name: "installation" };

const resyncMs = 3_600_000;

/** The installation controller, and the facts about the installation that it has found by now. */
export interface InstallationKeeper {
  facts: () => Partial<InstallationFacts>;
  reconciler: Reconciler;
}

/** Creates and renews the installation's certificates and keys, and finds the broker's cluster IP. */
export function keepInstallation(deps: InstallationDeps): InstallationKeeper {
  let known: Partial<InstallationFacts> = {};
  return {
    facts: () => known,
    reconciler: async (_request, signal) => {
      const { caCertificate } = await keepKeys(deps, deps.clock.now(), signal);
      known = { ...known, caCertificate };
      known = { ...known, brokerIP: await brokerIP(deps, signal) };
      return { requeueAfterMs: resyncMs };
    },
  };
}

async function brokerIP({ client, brokerService }: InstallationDeps, signal: AbortSignal): Promise<string> {
  if (!brokerService) return "127.0.0.1";
  const service = await client.get(services, brokerService, signal);
  const ip = service.spec?.clusterIP;
  if (ip === undefined || ip === "None") {
    throw new BellhopError(
      "InstallationNotReady",
      `Service ${brokerService.namespace}/${brokerService.name} has no cluster IP, which sandboxes need because they have no DNS; recreate the Service with a cluster IP`,
    );
  }
  return ip;
}
