import type { AgentProfile } from "../../api/kinds.ts";
import type { Pod } from "../../kube/resources.ts";
import { brokerAudience, mounts } from "../protocol/layout.ts";

type Spec = NonNullable<Pod["spec"]>;
export type Volume = NonNullable<Spec["volumes"]>[number];
export type Mount = NonNullable<Spec["containers"][number]["volumeMounts"]>[number];

type ProfileVolume = NonNullable<AgentProfile["spec"]["sandbox"]["volumes"]>[number];

/** All volumes of the pod: first Bellhop's own, then those of the profile. */
export function volumes(profile: AgentProfile, contextName: string): Volume[] {
  const { workspaceSize, homeSize, volumes: more = [] } = profile.spec.sandbox;
  return [
    scratch("in", "16Mi"),
    scratch("out", "64Mi"),
    scratch("workspace", workspaceSize),
    scratch("home", homeSize),
    scratch("tmp", homeSize),
    scratch("courier", workspaceSize),
    { name: "context", configMap: { name: contextName } },
    {
      name: "token",
      projected: {
        sources: [{ serviceAccountToken: { audience: brokerAudience, expirationSeconds: 3600, path: "token" } }],
      },
    },
    ...more.map(profileVolume),
  ];
}

/** Mounts of the checkout, which fills `in` and the workspace. */
export const checkoutMounts: Mount[] = [
  ...ours(["in", "workspace", "courier"], false),
  ...ours(["context", "token"], true),
];

/** Mounts of the courier; volumes that the agent writes to are read-only. */
export const courierMounts: Mount[] = [
  ...ours(["in", "courier"], false),
  ...ours(["out", "workspace", "context", "token"], true),
];

/** Mounts of the agent; the volume `courier` is not mounted. */
export function agentMounts(profile: AgentProfile): Mount[] {
  return [
    ...ours(["in"], true),
    ...ours(["out", "workspace", "home", "tmp"], false),
    ...(profile.spec.sandbox.volumes ?? []).map((volume) => ({
      name: `profile-${volume.name}`,
      mountPath: volume.mountPath,
      readOnly: volume.readOnly || volume.configMap !== undefined,
    })),
  ];
}

function ours(which: (keyof typeof mounts)[], readOnly: boolean): Mount[] {
  return which.map((name) => ({ name, mountPath: mounts[name], readOnly }));
}

function scratch(name: string, sizeLimit: string): Volume {
  return { name, emptyDir: { sizeLimit } };
}

function profileVolume(volume: ProfileVolume): Volume {
  const name = `profile-${volume.name}`;
  if (volume.emptyDir) return { name, emptyDir: { sizeLimit: volume.emptyDir.sizeLimit } };
  if (volume.configMap) return { name, configMap: { name: volume.configMap.name } };
  return {
    name,
    persistentVolumeClaim: { claimName: volume.persistentVolumeClaim?.name ?? "", readOnly: volume.readOnly },
  };
}
