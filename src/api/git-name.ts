import { z } from "zod";

/**
 * Git's rules for names of branches and refs, so that a name that git refuses is refused where it is written, and not by a checkout an hour
 * later. Source: git, "git check-ref-format", and `--branch` for the leading dash.
 */
const forbidden = ["..", "@{", "//", "/.", ".lock/"] as const;

/** The CRD checks this beside the characters: CRD patterns have no look-ahead. */
const rule =
  `${forbidden.map((part) => `!self.contains('${part}')`).join(" && ")} && ` +
  "!self.startsWith('.') && !self.startsWith('/') && !self.startsWith('-') && " +
  "!self.endsWith('/') && !self.endsWith('.') && !self.endsWith('.lock') && self != '@'";

/** Whether git accepts the name of a branch, or a full ref. */
export function isGitName(name: string): boolean {
  return (
    characters.test(name) &&
    !forbidden.some((part) => name.includes(part)) &&
    !/^[./-]/.test(name) &&
    !/(?:[./]|\.lock)$/.test(name) &&
    name !== "@"
  );
}

/** All but control characters, the space, and characters that git uses in revisions and patterns. */
const characters = /^[^\x00-\x20\x7f~^:?*[\\]+$/;

/** A branch (`main`) or a full ref (`refs/heads/main`). */
export const gitName = z
  .string()
  .min(1)
  .max(255)
  .regex(characters)
  .refine(isGitName, "git does not accept this name (git check-ref-format)")
  .meta({
    "x-kubernetes-validations": [{ rule, message: "git does not accept this name (git check-ref-format)" }],
  });

/** Whether git accepts the names of branches that begin with the prefix, which ends in `/`. */
export function isBranchPrefix(prefix: string): boolean {
  return prefix.endsWith("/") && isGitName(`${prefix}x`);
}

/** The beginning of the names of branches. */
export const branchPrefix = z
  .string()
  .min(2)
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*\/([A-Za-z0-9._-]+\/)*$/)
  .refine(isBranchPrefix, prefixMessage())
  .meta({
    "x-kubernetes-validations": [
      {
        rule: forbidden.map((part) => `!self.contains('${part}')`).join(" && "),
        message: prefixMessage(),
      },
    ],
  });

/** Why git refuses a prefix, and what to do. */
export function prefixMessage(): string {
  return "git accepts no branch with this prefix: between slashes, a part may not begin with a dot, end in .lock or contain two dots";
}
