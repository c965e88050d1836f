import { join } from "node:path";
import { compileCache } from "../../../cluster/compile-cache.ts";
import { startDaemon, type Daemon } from "../../../cluster/daemon.ts";
import { freePort } from "../../../cluster/ports.ts";

export const checkout = join(import.meta.dirname, "..", "..", "..", "..");

/** The processes of an installation; the second operator starts only when a test asks for it. */
export const partNames = ["gateway", "broker", "operator", "operator-2"] as const;
export type Part = (typeof partNames)[number];

/** Settings that all processes of one installation share. */
export interface Installation {
  /** For logs, and for files in the processes' home folders. */
  folder: string;
  kubeconfigPath: string;
  /** PEM file with the authorities of the stand-ins. */
  caFile: string;
  /** Namespace of gateway and operator. */
  namespace: string;
  brokerNamespace: string;
}

/** Starts a process of the installation; a restarted one gets its previous ports. */
export type StartPart = (part: Part) => Promise<Daemon>;

/** The processes of an installation, each with ports of its own. */
export interface Parts {
  startPart: StartPart;
  /** Base URL of the probes and metrics of each process. */
  probes: Readonly<Record<Part, string>>;
}

/** Finds ports for the processes. */
export async function partsOf(installation: Installation): Promise<Parts> {
  const ports = await Promise.all(Array.from({ length: 8 }, () => freePort()));
  const environments = environmentsOf(installation, ports);
  const probeOf = (part: Part): string => `http://127.0.0.1:${environments[part]["BELLHOP_PROBE_PORT"]}`;
  return {
    startPart: (part) =>
      startDaemon({
        command: process.execPath,
        args: [join(checkout, "src", part.replace("-2", ""), "main.ts")],
        logFile: logOf(installation, part),
        env: environments[part],
      }),
    probes: Object.fromEntries(partNames.map((part) => [part, probeOf(part)])) as Record<Part, string>,
  };
}

/** The log file of a process. */
export function logOf({ folder }: Pick<Installation, "folder">, part: Part): string {
  return join(folder, `${part}.log`);
}

function environmentsOf(of: Installation, ports: number[]): Record<Part, Record<string, string>> {
  const [gateway, gatewayProbes, broker, brokerProbes, operatorProbes, secondProbes, install, secondInstall] =
    ports.map(String);
  const common = {
    ...compileCache(),
    PATH: process.env["PATH"] ?? "",
    HOME: of.folder,
    KUBECONFIG: of.kubeconfigPath,
    LOG_LEVEL: "debug",
    BELLHOP_NAMESPACE: of.namespace,
    BELLHOP_HOST: "127.0.0.1",
    BELLHOP_CA_FILE: of.caFile,
    BELLHOP_ALLOWED_HOSTS: "127.0.0.1",
  };
  const operator = {
    ...common,
    BELLHOP_EXTERNAL_URL: `http://127.0.0.1:${gateway}`,
    BELLHOP_INSTALL_URL: `http://127.0.0.1:${install}`,
    BELLHOP_GATEWAY_ADDRESSES: `127.0.0.1:${gatewayProbes}`,
    BELLHOP_BROKER_NAMESPACE: of.brokerNamespace,
    BELLHOP_BROKER_URL: `https://127.0.0.1:${broker}`,
    BELLHOP_SANDBOX_BACKEND: "process",
    BELLHOP_ALLOW_NOT_ISOLATED: "true",
    BELLHOP_IMAGE: "bellhop:test",
  };
  return {
    gateway: { ...common, ...listen(gateway, gatewayProbes), BELLHOP_DRAIN_MS: "100" },
    broker: {
      ...common,
      ...listen(broker, brokerProbes),
      BELLHOP_NAMESPACE: of.brokerNamespace,
      BELLHOP_ISOLATION: "process",
    },
    operator: { ...operator, POD_NAME: "operator", ...operatorPorts(operatorProbes, install) },
    "operator-2": { ...operator, POD_NAME: "operator-2", ...operatorPorts(secondProbes, secondInstall) },
  };
}

function operatorPorts(probes = "", install = ""): Record<string, string> {
  return { BELLHOP_PROBE_PORT: probes, BELLHOP_INSTALL_PORT: install };
}

function listen(port = "", probes = ""): Record<string, string> {
  return { BELLHOP_PORT: port, BELLHOP_PROBE_PORT: probes };
}
