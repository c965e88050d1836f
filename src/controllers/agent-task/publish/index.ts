import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import type { Change, RepositoryRef } from "../../../integrations/code-host.ts";
import type { ChangeText } from "../../../integrations/report.ts";
import { isProviderFailure } from "../../../integrations/errors.ts";
import { describeError } from "../../../shared/errors.ts";
import { isFinalRefusal, lacksAccess } from "../../provider-failure.ts";
import type { StatusPatch } from "../facts.ts";
import { isAtWork, proposedBy, repositoryOf } from "../state.ts";
import { clearRetryCondition } from "../status.ts";
import { asStep, type AnyStep, type Step, type StepContext } from "../steps.ts";
import { changeText, isHeld } from "./change-text.ts";
import { decide, unreadable, type Action, type Reading } from "./decide.ts";
import { defined } from "../../../shared/defined.ts";

/**
 * Turns a proposal into a change: checks the proposal, writes the one push that the broker lets through, mints its token, reads the branch
 * at the code host, then opens the change or updates its text. While `status.publish` is set, only this step decides the end of the task.
 */
const publish: Step<Reading, Action> = {
  name: "publish",
  condition: "Succeeded",
  concerns: ({ task }) => isAtWork(task) && proposedBy(task) !== undefined,
  gather: readTip,
  decide,
  async apply(context, action) {
    if (action === "conclude") return conclude(context);
    return allowPush(context);
  },
};

/** The publish step of a task. */
export const publishStep: AnyStep = asStep(publish);

/** Mints the push token. A missing branch does not show that the repository was deleted; that no token can be minted for it does. */
async function allowPush(context: StepContext): Promise<StatusPatch> {
  const { deps, facts, signal } = context;
  try {
    await deps.credentials.allowPush(facts.task, await context.codeHost(), signal);
    return clearRetryCondition(facts.task);
  } catch (error) {
    if (!isProviderFailure(error, "NotFound")) throw error;
    const { drop, conditions } = unreadable(facts, error, deps.clock.now());
    return defined({ drop, conditions });
  }
}

async function readTip(context: StepContext): Promise<Reading> {
  const repository = repositoryOf(context.facts.task);
  const branch = context.facts.task.status?.checkout?.headRef;
  if (!repository || branch === undefined) return { tip: undefined };
  try {
    return { tip: await (await context.codeHost()).branch(repository, branch, context.signal) };
  } catch (error) {
    if (lacksAccess(error)) return { tip: undefined, failure: error };
    throw error;
  }
}

async function conclude(context: StepContext): Promise<StatusPatch> {
  const { task } = context.facts;
  const branch = task.status?.checkout?.headRef;
  const commit = task.status?.publish?.newId;
  const at = `\`${branch}\` is at ${commit?.slice(0, 7)}`;
  try {
    const { change, note } = await changeFor(context);
    const heldUnsaid = await mustReportHold(context, change);
    const verdict = {
      status: "True",
      reason: "Published",
      message: `${at}; ${describeChange(task, change)}.${note === undefined ? "" : ` ${note}`}`,
    } as const;
    return concluded(
      task,
      {
        ...resultOf(branch, commit, change),
        ...(heldUnsaid ? { heldUnsaid: true } : {}),
        ...defined({ changeNote: note }),
      },
      verdict,
    );
  } catch (error) {
    if (!isFinalRefusal(error)) throw error;
    // The commit is pushed, and a retry would get the same answer.
    const message = `${at}, but the change could not be opened: ${describeError(error)}`;
    return concluded(task, resultOf(branch, commit, undefined), {
      status: "False",
      reason: "ChangeNotOpened",
      message,
    });
  }
}

function concluded(
  task: AgentTask,
  result: Result,
  verdict: { status: "True" | "False"; reason: string; message: string },
): StatusPatch {
  return {
    conditions: [
      { type: "SandboxReady", status: "False", reason: "Published", message: "The sandbox finished its work." },
      { type: "Succeeded", ...verdict },
    ],
    fields: { result: { ...task.status?.result, ...result } },
  };
}

type Result = NonNullable<NonNullable<AgentTask["status"]>["result"]>;

function describeChange(task: AgentTask, change: Change | undefined): string {
  if (!change && beganEmpty(task))
    return "no pull request: the repository was empty, so there is nothing to merge it into";
  if (!change) return "no pull request, as the profile says";
  return `${change.draft ? "draft " : ""}pull request #${change.number}`;
}

function resultOf(branch: string | undefined, commit: string | undefined, change: Change | undefined): Result {
  return {
    ...defined({ branch, commit }),
    ...(change ? { changeURL: change.url, changeNumber: change.number, changeDraft: change.draft } : {}),
  };
}

/** The change of a task, and its differences from the profile and the checkout. */
interface Opened {
  change: Change | undefined;
  note?: string | undefined;
}

/** Finds the open change of the branch, or opens one. It is searched first because it may exist already after a crash. */
async function changeFor(context: StepContext): Promise<Opened> {
  const { task, profile } = context.facts;
  const repository = repositoryOf(task);
  const { headRef, newBranch } = task.status?.checkout ?? {};
  if (!repository || !profile || headRef === undefined) return { change: undefined };
  const found = await (await context.codeHost()).findChange(repository, headRef, context.signal);
  const change = found ?? (await opened(context, { repository, profile, headRef }));
  // Nobody but this task can have opened the change of a branch that it has just created.
  const isNew = change !== undefined && (found === undefined || newBranch === true);
  return { change, note: isNew ? noteOn(context, change) : undefined };
}

/** Opens the change; undefined if there is to be none. */
async function opened(
  context: StepContext,
  { repository, profile, headRef }: { repository: RepositoryRef; profile: AgentProfile; headRef: string },
): Promise<Change | undefined> {
  const { task } = context.facts;
  const { pullRequest } = profile.spec.output;
  const { baseRef } = task.status?.checkout ?? {};
  if (pullRequest === "None" || baseRef === undefined || beganEmpty(task)) return undefined;
  const opening = {
    headRef,
    baseRef: await presentBase(context, repository, baseRef),
    draft: pullRequest === "Draft",
    text: textOf(context, profile),
  };
  return (await context.codeHost()).openChange(repository, opening, context.signal);
}

/** The base of the change. While the agent worked, it may have been merged and deleted, or renamed: then the default branch takes its place. */
async function presentBase(context: StepContext, repository: RepositoryRef, baseRef: string): Promise<string> {
  const host = await context.codeHost();
  if (await host.branch(repository, baseRef, context.signal)) return baseRef;
  return (await host.repository(repository, context.signal)).defaultBranch;
}

/** Differences of a new change from the profile and the checkout, in sentences; undefined if there are none. */
function noteOn(context: StepContext, change: Change): string | undefined {
  const { facts } = context;
  const { baseRef, goneBaseRef } = facts.task.status?.checkout ?? {};
  const gone = goneBaseRef ?? (change.baseRef === baseRef ? undefined : baseRef);
  const notes = [
    ...(gone === undefined ? [] : [`It goes into \`${change.baseRef}\`, because \`${gone}\` does not exist any more.`]),
    ...(facts.profile?.spec.output.pullRequest === "Draft" && !change.draft
      ? [`It is no draft, as the profile wants, because ${context.codeHostName()} has no drafts for this repository.`]
      : []),
  ];
  return notes.length === 0 ? undefined : notes.join(" ");
}

/** Whether the report must explain that the checks are held: true if they are and no change has a text of ours that explains it. */
async function mustReportHold(context: StepContext, change: Change | undefined): Promise<boolean> {
  const { profile } = context.facts;
  const changeSaysSo = change !== undefined && (await updateChangeText(context, change));
  return !changeSaysSo && profile !== undefined && isHeld(profile);
}

/** Updates the text of a change of ours with the newest commit; returns whether the text now names it. A failure does not fail the task. */
async function updateChangeText(context: StepContext, { number, body }: Change): Promise<boolean> {
  const repository = repositoryOf(context.facts.task);
  const { profile } = context.facts;
  const host = await context.codeHost();
  const text = profile && host.bodyWith(body, textOf(context, profile));
  if (!repository || text === undefined || text === body) return text !== undefined;
  try {
    await host.updateChange(repository, number, { body: text }, context.signal);
    return true;
  } catch (error) {
    if (!isFinalRefusal(error)) throw error;
    context.deps.log.warn({ error, task: context.facts.task.metadata.name }, "could not update the text of a change");
    return false;
  }
}

/** Whether the repository was empty: its first commit has no base, and code hosts refuse a change for it. */
function beganEmpty({ status }: AgentTask): boolean {
  return status?.checkout?.headSHA === undefined;
}

function textOf({ facts }: StepContext, profile: AgentProfile): ChangeText {
  const { task, integration, codeHostIntegration } = facts;
  const commit = task.status?.publish?.newId ?? "";
  return changeText({ task, profile, integration, commit, mention: codeHostIntegration?.status?.bot?.mention });
}
