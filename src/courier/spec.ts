import { readFileSync } from "node:fs";
import path from "node:path";
import { BellhopError, describeError } from "../shared/errors.ts";
import { contextFiles } from "../sandbox/protocol/layout.ts";
import { sandboxSpec, type SandboxSpec } from "../sandbox/protocol/sandbox-spec.ts";

/** Reads the attempt's `sandbox.json`. Throws `SpecInvalid` with the path that failed. */
export function readSpec(contextFolder: string): SandboxSpec {
  const file = path.join(contextFolder, contextFiles.sandbox);
  const parsed = sandboxSpec.safeParse(parse(file));
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new BellhopError("SpecInvalid", `${file} is not what this courier understands: ${where}`);
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new BellhopError("SpecInvalid", `cannot read ${file}: ${describeError(error)}`, { cause: error });
  }
}
