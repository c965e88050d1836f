import type { RunResult } from "../cluster/node/index.ts";
import { caller, edgeFlags, filesOf, standInFlags, type Caller, type OutsideTls } from "./outside.ts";
import type { Place } from "./place.ts";

/** The namespace of the pods of GitHub and of the edge before the gateway. */
export const outsideNamespace = "bellhop-demo-outside";

const folder = "/tls";
const restricted = { "pod-security.kubernetes.io/enforce": "restricted" };

/** Creates the namespace and two services, and returns their addresses: certificates and URLs must exist before the pods. */
export async function outsideServices(kubectl: Place["kubectl"]): Promise<{ github: string; edge: string }> {
  const service = (name: string): object => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: outsideNamespace },
    spec: { selector: { app: name }, ports: [{ port: 443, targetPort: 8443 }] },
  });
  const metadata = { name: outsideNamespace, labels: restricted };
  await apply(kubectl, { apiVersion: "v1", kind: "Namespace", metadata }, service("github"), service("edge"));
  const address = (name: string): Promise<string> =>
    kubectl(["get", "service", "-n", outsideNamespace, name, "-o", "jsonpath={.spec.clusterIP}"]);
  return { github: await address("github"), edge: await address("edge") };
}

/** Settings of the pods. */
export interface OutsidePods {
  /** The image of images/test-providers. */
  image: string;
  tls: OutsideTls;
  /** GitHub's web address. */
  url: string;
  /** The gateway's service, `host:port`. */
  gateway: string;
}

/** Starts GitHub and the edge as pods, and returns a client for GitHub. */
export async function startOutsidePods(
  { kubectl, exec }: { kubectl: Place["kubectl"]; exec: (argv: readonly string[]) => Promise<RunResult> },
  { image, tls, url, gateway }: OutsidePods,
): Promise<Caller> {
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "tls", namespace: outsideNamespace } };
  const at = { host: "0.0.0.0", port: 8443, tls: folder };
  await apply(
    kubectl,
    { ...secret, stringData: filesOf(tls) },
    pod("github", image, [
      "/app/test/providers/github/main.ts",
      ...standInFlags("github", { ...at, url }),
      "--state",
      "/state",
    ]),
    pod("edge", image, ["/app/test/providers/edge.ts", ...edgeFlags({ ...at, to: gateway })]),
  );
  await kubectl(["wait", "-n", outsideNamespace, "--for=condition=Ready", "--timeout=120s", "pod/github", "pod/edge"]);
  return caller(exec, { node: "node", url, caFile: `${folder}/github-ca.crt` });
}

/** Arguments of kubectl that run a command in GitHub's pod. */
export function execInGitHub(argv: readonly string[]): string[] {
  return ["exec", "-n", outsideNamespace, "github", "--", ...argv];
}

function pod(name: string, image: string, args: string[]): object {
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
  const volumeMounts = [
    { name: "tls", mountPath: folder, readOnly: true },
    { name: "state", mountPath: "/state" },
  ];
  const readinessProbe = { tcpSocket: { port: 8443 }, periodSeconds: 1 };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: outsideNamespace, labels: { app: name } },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        fsGroup: 65532,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [{ name, image, args, securityContext, volumeMounts, readinessProbe }],
      volumes: [
        { name: "tls", secret: { secretName: "tls" } },
        { name: "state", emptyDir: {} },
      ],
    },
  };
}

async function apply(kubectl: Place["kubectl"], ...items: object[]): Promise<void> {
  await kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
}
