/** Limits on the output of a task; from the profile. */
export interface OutputPolicy {
  protectedPaths: readonly string[];
  maxFiles: number;
  maxPatchKiB: number;
}

/** The changes of a commit. A rename counts as both paths; a change of mode counts as a change. */
export interface Output {
  paths: readonly string[];
  patchBytes: number;
}

/** Result of the policy check; empty `refusals` means that the output may be published. */
export interface Findings {
  protectedPaths: string[];
  refusals: string[];
}

const maxListed = 20;

/** Checks an output against the policy. The courier uses it to refuse early; the operator's check decides. */
export function checkOutput(output: Output, policy: OutputPolicy): Findings {
  const matchers = policy.protectedPaths.flatMap((glob) => [glob, ...foldersOf(glob)]).map(globMatcher);
  const touched = output.paths.filter((path) => matchers.some((matches) => matches(path)));
  const patchKiB = Math.ceil(output.patchBytes / 1024);
  const refusals = [
    ...(touched.length > 0 ? [`the commit changes protected paths: ${listed(touched)}`] : []),
    ...(output.paths.length > policy.maxFiles
      ? [`the commit changes ${output.paths.length} files (at most ${policy.maxFiles} are allowed)`]
      : []),
    ...(patchKiB > policy.maxPatchKiB
      ? [`the commit adds ${patchKiB} KiB of new content (at most ${policy.maxPatchKiB} KiB are allowed)`]
      : []),
  ];
  return { protectedPaths: touched, refusals };
}

function listed(paths: readonly string[]): string {
  const more = paths.length - maxListed;
  return `${paths.slice(0, maxListed).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/**
 * The parent folders that a glob names, for example `.github` for `.github/workflows/**`. They are protected too: a commit contains only
 * files and links, so a changed entry with the name of such a folder replaces the folder. Folders that only wildcards name (`docs/*`) are
 * not included.
 */
function foldersOf(glob: string): string[] {
  const steps = glob.split("/");
  return steps.flatMap((step, at) =>
    at < steps.length - 1 && /[^*?]/.test(step) ? [steps.slice(0, at + 1).join("/")] : [],
  );
}

/**
 * Compiles one glob to a predicate: `**` matches any folders, `*` any part of a name, `?` one character. Compares case-insensitively, after
 * Unicode NFC.
 */
export function globMatcher(glob: string): (path: string) => boolean {
  // `s`: names may contain line breaks.
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
