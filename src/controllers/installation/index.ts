import { services } from "../../kube/resources.ts";
import type { KubeClient, Reconciler } from "../../kube/types.ts";
import type { Clock } from "../../shared/clock.ts";
import { BellhopError } from "../../shared/errors.ts";
import { keepKeys, type KeysDeps } from "./keys.ts";

/** Facts about the installation that the operator finds while it leads. Reading a fact that is not known yet throws a retryable error. */
export interface Installation {
  readonly caCertificate: string;
  /** Cluster IP of the broker's Service. */
  readonly brokerIP: string;
}

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

/** Creates and renews the installation's certificates and keys, and finds the broker's cluster IP. */
export function keepInstallation(deps: InstallationDeps): { installation: Installation; reconciler: Reconciler } {
  let known: Partial<Installation> = {};
  const required = (fact: keyof Installation): string => {
    const value = known[fact];
    if (value === undefined)
      throw new BellhopError(
        "InstallationNotReady",
        `the installation's ${fact} is not known yet; the operator retries`,
        {
          retryable: true,
        },
      );
    return value;
  };
  return {
    installation: {
      get caCertificate() {
        return required("caCertificate");
      },
      get brokerIP() {
        return required("brokerIP");
      },
    },
    reconciler: async (_request, signal) => {
      const { caCertificate } = await keepKeys(deps, deps.clock.now(), signal);
      known = { ...known, caCertificate, brokerIP: await brokerIP(deps, signal) };
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
