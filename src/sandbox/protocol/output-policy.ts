/** Limits on the output of a task; from the profile. */
export interface OutputPolicy {
  protectedPaths: readonly string[];
  maxFiles: number;
  maxPatchKiB: number;
}

/** The changes of a commit. Renames count as both paths, mode changes as changes. */
export interface Output {
  paths: readonly string[];
  patchBytes: number;
}

/** Result of the policy check; empty `refusals` means that the output may be published. */
export interface Findings {
  protectedPaths: string[];
  refusals: string[];
}

/** Checks an output against the policy; the courier uses it for an early answer, the operator to decide. */
export function checkOutput(output: Output, policy: OutputPolicy): Findings {
  const matchers = policy.protectedPaths.flatMap((glob) => [glob, ...foldersOf(glob)]).map(globMatcher);
  const touched = output.paths.filter((path) => matchers.some((matches) => matches(path)));
  const patchKiB = Math.ceil(output.patchBytes / 1024);
  const refusals = [
    ...(touched.length > 0 ? [`protected paths were changed: ${touched.slice(0, 20).join(", ")}`] : []),
    ...(output.paths.length > policy.maxFiles
      ? [`${output.paths.length} files were changed, ${policy.maxFiles} are allowed`]
      : []),
    ...(patchKiB > policy.maxPatchKiB ? [`${patchKiB} KiB of new content, ${policy.maxPatchKiB} KiB are allowed`] : []),
  ];
  return { protectedPaths: touched, refusals };
}

/**
 * The folders that a glob names on its way. Only files and links change, so whatever changed under a folder's own name stands in its place: a
 * link `.github` answers for `.github/workflows` as well. Steps of wildcards alone (`docs/*`) name nothing, and are left out.
 */
function foldersOf(glob: string): string[] {
  const steps = glob.split("/");
  return steps.flatMap((step, at) =>
    at < steps.length - 1 && /[^*?]/.test(step) ? [steps.slice(0, at + 1).join("/")] : [],
  );
}

/** A predicate for one glob: `**` any folders, `*` within a name, `?` one character; compared without case, after Unicode NFC. */
export function globMatcher(glob: string): (path: string) => boolean {
  // `s`: names may hold line ends.
  const pattern = new RegExp(`^${translate(fold(glob))}$`, "su");
  return (path) => pattern.test(fold(path));
}

function fold(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

function translate(glob: string): string {
  const parts = glob.match(/\*\*\/|\/\*\*$|\*\*|\*|\?|[^*?]+/g) ?? [];
  return parts.map(translatePart).join("");
}

function translatePart(part: string): string {
  if (part === "**/") return "(?:[^/]+/)*";
  if (part === "/**") return "/.+";
  if (part === "**") return ".*";
  if (part === "*") return "[^/]*";
  if (part === "?") return "[^/]";
  return part.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
