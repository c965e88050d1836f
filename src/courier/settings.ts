import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { contextFiles, environment } from "../sandbox/protocol/layout.ts";
import { sandboxSpec, type SandboxSpec } from "../sandbox/protocol/sandbox-spec.ts";
import { BellhopError, describeError } from "../shared/errors.ts";

/** Paths of the courier's volumes and files, from its environment, so that the same commands also run where no volumes are mounted. */
export interface Places {
  in: string;
  out: string;
  workspace: string;
  /** The courier's own volume. */
  courier: string;
  /** The courier's own bare repository. */
  repository: string;
  context: string;
  tokenFile: string;
  terminationLog: string;
  isolation: "pod" | "process";
  /** Address of the pod's own node; undefined if the environment does not name it. */
  hostIP: string | undefined;
}

const absolute = z.string().refine((value) => path.isAbsolute(value), "must be an absolute path");

const variables = z.object({
  [environment.in]: absolute,
  [environment.out]: absolute,
  [environment.workspace]: absolute,
  [environment.courier]: absolute,
  [environment.context]: absolute,
  [environment.tokenFile]: absolute,
  [environment.terminationLog]: absolute,
  [environment.isolation]: z.enum(["pod", "process"]),
  [environment.hostIP]: z.string().optional(),
});

/** Reads the paths from the environment. Throws `EnvironmentInvalid`, which names each missing or invalid variable. */
export function placesFrom(env: NodeJS.ProcessEnv): Places {
  const parsed = variables.safeParse(env);
  if (!parsed.success) throw new BellhopError("EnvironmentInvalid", problems(parsed.error));
  const at = parsed.data;
  return {
    in: at.BELLHOP_IN,
    out: at.BELLHOP_OUT,
    workspace: at.BELLHOP_WORKSPACE,
    courier: at.BELLHOP_COURIER,
    repository: path.join(at.BELLHOP_COURIER, "repository.git"),
    context: at.BELLHOP_CONTEXT,
    tokenFile: at.BELLHOP_TOKEN_FILE,
    terminationLog: at.BELLHOP_TERMINATION_LOG,
    isolation: at.BELLHOP_ISOLATION,
    hostIP: at.BELLHOP_HOST_IP,
  };
}

function problems(error: z.ZodError): string {
  const each = error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  return `the environment is not that of a sandbox: ${each.join("; ")}. Only a sandbox pod can start the courier.`;
}

/** Reads the attempt's `sandbox.json`. Throws `SpecInvalid`, which names each invalid field. */
export function readSpec(contextFolder: string): SandboxSpec {
  const file = path.join(contextFolder, contextFiles.sandbox);
  const parsed = sandboxSpec.safeParse(parse(file));
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new BellhopError("SpecInvalid", `${file} is invalid for this version of the courier: ${where}`);
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new BellhopError("SpecInvalid", `cannot read ${file}: ${describeError(error)}`, { cause: error });
  }
}
