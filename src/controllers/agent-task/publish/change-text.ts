import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import type { ChangeText, Line } from "../../../integrations/report.ts";
import type { Integration } from "../../../integrations/integration.ts";
import { personAtCodeHost, requesterOf } from "../state.ts";

/** Inputs of the text of a change. */
export interface ChangeSources {
  task: AgentTask;
  profile: AgentProfile;
  /** The integration where the task was requested. */
  integration: Integration | undefined;
  commit: string;
  /** The name that people write after `@` to mention the bot at the code host. */
  mention: string | undefined;
}

/** The text of a change as data. The code host renders it, and text of a model passes through its encoder only. */
export function changeText(sources: ChangeSources): ChangeText {
  const { task, profile, commit, mention } = sources;
  const { title, key } = task.spec.source.subject;
  return {
    title: (title ?? "").trim() === "" ? `Work on ${key}` : (title ?? ""),
    subject: subjectOf(task),
    summary: task.status?.result?.summary,
    newest: [
      "Made by Bellhop for ",
      ...requesterIn(sources),
      ". Its newest commit is ",
      { code: commit.slice(0, 7) },
      ", which no person has approved yet: review it like any other commit.",
    ],
    checks: isHeld(profile) ? checksHeld(commit) : [],
    mention,
  };
}

/** Explains that checks are held, why, and how to start them. */
export function checksHeld(commit: string): Line {
  return [
    { strong: "Checks are held." },
    " The commit carries the skip marker, so that code that no person has reviewed does not run with the repository's secrets; " +
      "required checks wait for an approval. To approve, a person with write access, other than the requester, reviews the commit and writes ",
    { command: `approve ${commit.slice(0, 7)}` },
    ".",
  ];
}

/** Explains that somebody approved the commit and its checks run. */
export function checksRunning(approver: { id: string; login: string }, commit: string): Line {
  return [
    { strong: "Checks are running." },
    " ",
    { person: approver, notify: true },
    " has approved ",
    { code: commit.slice(0, 7) },
    "; an empty commit without the skip marker started them.",
  ];
}

/** Whether the checks of pushed commits are held. */
export function isHeld({ spec }: AgentProfile): boolean {
  return spec.output.ci === "Hold";
}

/** The requester as the code host knows them. The name of a person without an account there is quoted: they chose it, and a merge may copy it into a commit message. */
function requesterIn({ task, integration }: ChangeSources): Line {
  const requester = requesterOf(task);
  if (task.spec.source.provider === "kubernetes") return [{ code: requester.login }, " (kubectl)"];
  const person = personAtCodeHost(task, integration, requester);
  return [person ? { person, notify: true } : { quote: requester.login }];
}

/** Links the change to its subject: closes an issue; refers to a change that it is stacked on, or in which it was requested. */
function subjectOf({ spec, status }: AgentTask): ChangeText["subject"] {
  const { type, number } = spec.source.subject;
  // A number of a tracker would name another issue at the code host.
  if (number === undefined || spec.codeHostRef) return undefined;
  if (type === "Issue") return { relation: "Closes", number };
  return { relation: status?.checkout?.stacked ? "OnTopOf" : "RequestedIn", number };
}
