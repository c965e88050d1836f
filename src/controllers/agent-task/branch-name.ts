import type { AgentTask } from "../../api/kinds.ts";

const maxSlug = 40;

/** `<prefix><number>-<slug of the title>`; only letters, digits and dashes come from the untrusted title. */
export function branchStem(task: AgentTask, prefix: string): string {
  const { number, title } = task.spec.source.subject;
  const slug = slugOf(title ?? "") || (number === undefined ? task.metadata.name : "");
  return `${prefix}${[number, slug].filter((part) => part !== undefined && part !== "").join("-")}`;
}

/** The stem, then `-2`, `-3`, …: names to try until one is free. */
export function branchCandidates(stem: string, tries: number): string[] {
  return Array.from({ length: tries }, (_, n) => (n === 0 ? stem : `${stem}-${n + 1}`));
}

/** First line of our commits: the title without anything a host would act on (references, mentions, skip marks). */
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
