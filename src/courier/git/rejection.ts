import { plain } from "../outcome.ts";

/** Longest quotation of a server, in characters. */
const maxQuoted = 500;

/**
 * Why a code host rejected a push, from git's error output: first a plain reason, if it is a known one, then the host's own sentences, then
 * what to do. Servers decorate their answers with rules, links and help; these are left out. Pure.
 */
export function explainRejection(ref: string, stderr: string): string {
  const said = hostSentences(stderr);
  const known = reasons.find(({ when }) => when.test(stderr));
  const quoted = said === "" ? "" : ` It says: ${said}`;
  const because = known?.because ?? "The code host rejected the push";
  const todo = known === undefined ? "" : ` ${known.todo}`;
  return `${because} (\`${ref}\`).${quoted}${/[.!?…]$/.test(quoted) || quoted === "" ? "" : "."}${todo}`;
}

/** Rejections that code hosts name in their answers, the most specific first. */
const reasons: readonly { when: RegExp; because: string; todo: string }[] = [
  {
    when: /cannot contain secrets|secrets? (?:was|were)? ?(?:found|detected)/i,
    because: "The change contains something that looks like a secret, and the code host refuses secrets",
    todo: "Remove it from the request or the repository, or allow it at the code host, and use the command `retry`.",
  },
  {
    when: /creations? being restricted|not allowed to create|cannot create (?:ref|branch)/i,
    because: "A rule of the repository forbids the creation of this branch",
    todo: "Exempt Bellhop from the rule, or set the profile's `output.branchPrefix` to a prefix that the rule allows.",
  },
  {
    when: /verified signatures?|must be signed|unsigned commit/i,
    because: "A rule of the repository requires signed commits, and Bellhop does not sign",
    todo: "Exempt Bellhop from the rule, or its branches.",
  },
  {
    when: /directory file conflict|refs\/heads\/\S+['"]? exists; cannot create|is at .* but expected|unable to resolve reference/i,
    because: "Another branch has a name that is a part of this one, and git cannot have both",
    todo: "Rename that branch, or set the profile's `output.branchPrefix`.",
  },
  {
    when: /protected branch|GH006|through a pull request|must be made through/i,
    because: "The branch is protected",
    todo: "Exempt Bellhop from the protection, or keep its pattern off the profile's `output.branchPrefix`.",
  },
];

/** The sentences of the server: what git shows after `remote:`, and the reason in its summary line. */
function hostSentences(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/);
  const remote = lines.flatMap((line) => sentenceIn(/^remote: ?(.*)$/.exec(line)?.[1]));
  const summary = lines.flatMap((line) => sentenceIn(/\[(?:remote )?rejected\].*\(([^()]+)\)\s*$/.exec(line)?.[1]));
  const all = [...new Set(remote.length > 0 ? remote : summary)];
  return cut(plain(all.join("; ")));
}

const decoration = /[—–_=*~]{2,}|-{3,}/g;
/** Help and links, which only make sense in a terminal. */
const help = /^\(\?\)|^https?:\/\/|^Review all|^Resolve the following|^To (?:push|https?:)/i;

function sentenceIn(text: string | undefined): string[] {
  const bare = (text ?? "")
    .replaceAll(decoration, " ")
    .replace(/^\s*(?:-\s+)?(?:error|fatal|warning):\s*/i, "")
    .replace(/^\s*[-•*]\s+/, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  return /\p{L}/u.test(bare) && !help.test(bare) && !bare.endsWith(":") ? [bare.replace(/[.;]$/, "")] : [];
}

function cut(text: string): string {
  return text.length > maxQuoted ? `${text.slice(0, maxQuoted)}…` : text;
}
