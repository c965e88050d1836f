import { isBranchPrefix, prefixMessage } from "../../api/git-name.ts";
import type { AgentProfile } from "../../api/kinds.ts";
import { globMatcher } from "../../sandbox/protocol/output-policy.ts";

/** Limits that the installation sets for every profile. */
export interface Guardrails {
  /** Globs of allowed images; if empty, every image is allowed. */
  images: readonly string[];
  /** Maximum CPU and memory limits of an agent's container; Kubernetes quantities. */
  maxCPU?: string;
  maxMemory?: string;
  /** Maximum disk space that one sandbox may use on its node, in total; a Kubernetes quantity. */
  maxStorage?: string;
}

/** Pure: whether tasks may use the profile; if not, the reason and message say why. */
export function checkProfile(
  profile: AgentProfile,
  guardrails: Guardrails,
): { ok: boolean; reason: string; message: string } {
  return (
    prefixRefused(profile) ??
    imageNotAllowed(profile, guardrails) ??
    tooMuch(profile, "cpu", guardrails.maxCPU) ??
    tooMuch(profile, "memory", guardrails.maxMemory) ??
    tooMuchStorage(profile, guardrails.maxStorage) ?? {
      ok: true,
      reason: "Ready",
      message: "Tasks may use this profile.",
    }
  );
}

type Refusal = { ok: false; reason: string; message: string } | undefined;

/** The CRD refuses such a prefix too, but not in profiles that were stored before it did. */
function prefixRefused({ spec }: AgentProfile): Refusal {
  const { branchPrefix } = spec.output;
  if (isBranchPrefix(branchPrefix)) return undefined;
  const message = `spec.output.branchPrefix is ${branchPrefix}, and ${prefixMessage()}: change it`;
  return { ok: false, reason: "BranchPrefixRefused", message };
}

function imageNotAllowed({ spec }: AgentProfile, { images }: Guardrails): Refusal {
  if (images.length === 0 || images.some((glob) => globMatcher(glob)(spec.agent.image))) return undefined;
  const message = `spec.agent.image ${spec.agent.image} is not allowed by this installation; use an image that matches ${images.join(" or ")}`;
  return { ok: false, reason: "ImageNotAllowed", message };
}

function tooMuch({ spec }: AgentProfile, resource: "cpu" | "memory", most: string | undefined): Refusal {
  if (most === undefined) return undefined;
  const asked = spec.sandbox.resources.limits?.[resource];
  if (asked === undefined) {
    return {
      ok: false,
      reason: "LimitMissing",
      message: `this installation allows at most ${most} ${resource}: set spec.sandbox.resources.limits.${resource}`,
    };
  }
  if (quantity(asked) <= quantity(most)) return undefined;
  return {
    ok: false,
    reason: "LimitTooHigh",
    message: `spec.sandbox.resources.limits.${resource} is ${asked}; this installation allows at most ${most}: lower it`,
  };
}

function tooMuchStorage({ spec }: AgentProfile, most: string | undefined): Refusal {
  if (most === undefined) return undefined;
  const { workspaceSize, homeSize, volumes = [], resources } = spec.sandbox;
  const ephemeral = resources.limits?.["ephemeral-storage"];
  const sizes = [
    // The courier's copy of the workspace is as large as the workspace, and TMPDIR is as large as HOME.
    workspaceSize,
    workspaceSize,
    homeSize,
    homeSize,
    ...volumes.flatMap(({ emptyDir }) => emptyDir?.sizeLimit ?? []),
    ...(ephemeral === undefined ? [] : [ephemeral]),
  ];
  const total = sizes.reduce((sum, size) => sum + quantity(size), 0);
  if (total <= quantity(most)) return undefined;
  const gibibytes = Math.ceil((total / 2 ** 30) * 10) / 10;
  return {
    ok: false,
    reason: "StorageTooLarge",
    message:
      `the sandbox may use ${gibibytes}Gi of its node's disk; this installation allows at most ${most}: lower ` +
      "spec.sandbox.workspaceSize and homeSize (each counts twice), emptyDir.sizeLimit of volumes or limits.ephemeral-storage",
  };
}

const factors: Record<string, number> = {
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity as a number; the CRD validates the format. */
export function quantity(text: string): number {
  const [, digits = "0", suffix = ""] = /^([0-9.]+)([A-Za-z]*)$/.exec(text) ?? [];
  return Number(digits) * (factors[suffix] ?? 1);
}
