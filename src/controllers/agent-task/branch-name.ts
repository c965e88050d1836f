import type { AgentTask } from "../../api/kinds.ts";

const maxSlug = 40;

/** Builds `<prefix><number>-<slug of the title>`; only letters, digits and dashes of the untrusted title are kept. */
export function branchStem(task: AgentTask, prefix: string): string {
  const { number, title } = task.spec.source.subject;
  const slug = slugOf(title ?? "") || (number === undefined ? task.metadata.name : "");
  return `${prefix}${[number, slug].filter((part) => part !== undefined && part !== "").join("-")}`;
}

/** Lists the names to try until one is free: the stem, then with `-2`, `-3`, … */
export function branchCandidates(stem: string, tries: number): string[] {
  return Array.from({ length: tries }, (_, n) => (n === 0 ? stem : `${stem}-${n + 1}`));
}

/** Builds the first line of our commits: the title without text that a code host acts on (references, mentions, skip markers). */
export function commitSubject(task: AgentTask): string {
  const { number, title, key } = task.spec.source.subject;
  const words = (title ?? "")
    .replaceAll(/[^\p{L}\p{N} .,'()_-]/gu, " ")
    .replaceAll(/\bgh-(?=\d)/giu, "GH ")
    .replaceAll(/\s+/gu, " ")
    .trim()
    .slice(0, 60)
    .trim();
  if (words === "") return `Work on ${key.replaceAll(/[^\w./#-]/g, " ").slice(0, 64)}`;
  return number === undefined ? words : `${words} (#${number})`;
}

function slugOf(title: string): string {
  const ascii = title.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  return ascii
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, maxSlug + 1)
    .replace(/^-+/, "")
    .slice(0, maxSlug)
    .replace(/-+$/, "");
}
