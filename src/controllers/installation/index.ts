import { services } from "../../kube/resources.ts";
import type { KubeClient, Reconciler } from "../../kube/types.ts";
import type { Clock } from "../../shared/clock.ts";
import { BellhopError } from "../../shared/errors.ts";
import { keepKeys, type KeysDeps } from "./keys.ts";

/** What the operator finds out about its own installation while it leads. Reading before that throws, and is tried again. */
export interface Installation {
  readonly caCertificate: string;
  /** Cluster IP of the broker's Service. */
  readonly brokerIP: string;
}

/** What keeping the installation needs. */
export interface InstallationDeps extends KeysDeps {
  client: KubeClient;
  clock: Clock;
  /** The broker's Service, where its address is asked; absent on the process node, where the URL's own address serves. */
  brokerService: { namespace: string; name: string } | undefined;
}

/** The one key of the installation's controller. */
export const installationRequest = { namespace: "", name: "installation" };

const againMs = 3_600_000;

/** Keeps the installation's certificates and keys, and learns where the broker is. */
export function keepInstallation(deps: InstallationDeps): { installation: Installation; reconciler: Reconciler } {
  let known: Partial<Installation> = {};
  const need = (what: keyof Installation): string => {
    const value = known[what];
    if (value === undefined)
      throw new BellhopError("InstallationNotReady", `the installation's ${what} is not known yet`, {
        retryable: true,
      });
    return value;
  };
  return {
    installation: {
      get caCertificate() {
        return need("caCertificate");
      },
      get brokerIP() {
        return need("brokerIP");
      },
    },
    reconciler: async (_request, signal) => {
      const { caCertificate } = await keepKeys(deps, deps.clock.now(), signal);
      known = { ...known, caCertificate, brokerIP: await brokerIP(deps, signal) };
      return { requeueAfterMs: againMs };
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
      `Service ${brokerService.namespace}/${brokerService.name} has no cluster IP: sandboxes have no DNS and need one`,
    );
  }
  return ip;
}
