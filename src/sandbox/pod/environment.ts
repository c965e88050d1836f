import { contextFiles, environment, inFiles, mounts } from "../protocol/layout.ts";
import type { SandboxSettings } from "./settings.ts";

/** One environment variable of a container: a value, or a field of the pod. */
interface Variable {
  name: string;
  value?: string;
  valueFrom?: { fieldRef: { fieldPath: string } };
}

/** The variables from which common tools take the path of their CA file. */
const caVariables = [
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
  "GIT_SSL_CAINFO",
  "CURL_CA_BUNDLE",
  "REQUESTS_CA_BUNDLE",
  "PIP_CERT",
  "CARGO_HTTP_CAINFO",
  "AWS_CA_BUNDLE",
];

/** Environment variables of the courier and its checkout. */
export function courierEnvironment(settings: SandboxSettings): Variable[] {
  const plain = variables({
    [environment.in]: mounts.in,
    [environment.out]: mounts.out,
    [environment.workspace]: mounts.workspace,
    [environment.courier]: mounts.courier,
    [environment.context]: mounts.context,
    [environment.tokenFile]: `${mounts.token}/token`,
    [environment.terminationLog]: terminationLog,
    [environment.isolation]: settings.backend,
    HOME: mounts.courier,
    TMPDIR: mounts.courier,
    NODE_EXTRA_CA_CERTS: `${mounts.context}/${contextFiles.ca}`,
  });
  return [...plain, { name: environment.hostIP, valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } }];
}

/** Environment variables of the agent: paths and the CA file. They contain no secret. */
export function agentEnvironment(settings: SandboxSettings): Variable[] {
  const ca = `${mounts.in}/${inFiles.ca}`;
  return variables({
    [environment.in]: mounts.in,
    [environment.out]: mounts.out,
    [environment.workspace]: mounts.workspace,
    [environment.promptFile]: `${mounts.in}/${inFiles.prompt}`,
    [environment.contextFile]: `${mounts.in}/${inFiles.context}`,
    [environment.isolation]: settings.backend,
    HOME: mounts.home,
    TMPDIR: mounts.tmp,
    GIT_CONFIG_GLOBAL: `${mounts.in}/${inFiles.gitconfig}`,
    GIT_TERMINAL_PROMPT: "0",
    ...Object.fromEntries(caVariables.map((name) => [name, ca])),
  });
}

/** Path of a container's termination message. */
export const terminationLog = `${mounts.courier}/termination-log`;

function variables(values: Record<string, string>): Variable[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}
