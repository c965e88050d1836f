import type { AgentTask } from "../../../api/kinds.ts";
import type { Change, CodeHost, Connection } from "../../../integrations/connection.ts";
import { BellhopError } from "../../../shared/errors.ts";
import type { Decision, StatusPatch, TaskFacts } from "../facts.ts";
import { isAtWork } from "../state.ts";
import { asStep, type AnyStep, type Step, type StepContext } from "../steps.ts";
import { changeBody, changeTitle } from "./change-text.ts";
import { judgeProposal, proposedBy, type Tip } from "./judge.ts";

/** What the host shows of the branch that would be pushed to. */
interface Reading {
  tip: Tip;
}

/** Let the push through, or tell what came of it. */
type Action = "allowPush" | "conclude";

/** How often the host is looked at while a push is under way; couriers push within a second or two. */
const pushingMs = 1_500;

/**
 * From a proposal to a change: judge it, write down the one push that the broker lets through, mint its token, read the branch at the
 * host, open or find the change. While `status.publish` is set, the end of the task is decided here and nowhere else.
 */
const publish: Step<Reading, Action> = {
  name: "publish",
  condition: "Succeeded",
  concerns: ({ task }) => isAtWork(task) && proposedBy(task) !== undefined,
  gather: readTip,
  decide,
  async apply(context, action) {
    if (action === "conclude") return conclude(context);
    await context.deps.credentials.allowPush(context.facts.task, await hostOf(context), context.signal);
    return undefined;
  },
};

/** The publish step, for the life of a task. */
export const publishStep: AnyStep = asStep(publish);

function decide(facts: TaskFacts, { tip }: Reading): Decision<Action> {
  const { task, profile } = facts;
  const proposed = proposedBy(task);
  if (!proposed || !profile) return {};
  if (task.status?.publish) return pushing(facts, tip);
  const verdict = judgeProposal(task, profile, proposed, tip);
  if (!verdict.ok)
    return { conditions: [{ type: "Succeeded", status: "False", reason: verdict.reason, message: verdict.message }] };
  return { fields: { publish: verdict.publish }, actions: ["allowPush"], requeueAfterMs: pushingMs };
}

/** A push was allowed: the host alone says whether it happened. */
function pushing({ task, sandbox }: TaskFacts, tip: Tip): Decision<Action> {
  if (tip?.sha === task.status?.publish?.newId) return { actions: ["conclude"] };
  const over = sandbox !== undefined && ["Finished", "Broken", "Missing"].includes(sandbox.state);
  if (over) return { fields: { publish: undefined }, requeueAfterMs: 0 };
  return { actions: ["allowPush"], requeueAfterMs: pushingMs };
}

async function readTip(context: StepContext): Promise<Reading> {
  const { repository } = context.facts.task.spec;
  const branch = context.facts.task.status?.checkout?.headRef;
  if (!repository || branch === undefined) return { tip: undefined };
  return { tip: await (await hostOf(context)).branch(repository, branch, context.signal) };
}

async function conclude(context: StepContext): Promise<StatusPatch> {
  const { task } = context.facts;
  const branch = task.status?.checkout?.headRef;
  const commit = task.status?.publish?.newId;
  const change = await changeFor(context);
  const message = `\`${branch}\` is at ${commit?.slice(0, 7)}; ${toldOf(change)}.`;
  return {
    conditions: [
      { type: "SandboxReady", status: "False", reason: "Published", message: "The sandbox has done its work." },
      { type: "Succeeded", status: "True", reason: "Published", message },
    ],
    fields: { result: { ...task.status?.result, ...resultOf(branch, commit, change) } },
  };
}

function toldOf(change: Change | undefined): string {
  if (!change) return "no pull request, as the profile says";
  return `${change.draft ? "draft " : ""}pull request #${change.number}`;
}

function resultOf(
  branch: string | undefined,
  commit: string | undefined,
  change: Change | undefined,
): NonNullable<NonNullable<AgentTask["status"]>["result"]> {
  return {
    ...(branch === undefined ? {} : { branch }),
    ...(commit === undefined ? {} : { commit }),
    ...(change ? { changeURL: change.url, changeNumber: change.number } : {}),
  };
}

/** The open change of the branch, opened where there is none. Found first: after a crash it may be there already. */
async function changeFor(context: StepContext): Promise<Change | undefined> {
  const { task, profile } = context.facts;
  const { repository } = task.spec;
  const { headRef, baseRef } = task.status?.checkout ?? {};
  if (!repository || !profile || headRef === undefined) return undefined;
  const connection = await context.connection();
  const host = await hostOf(context);
  const found = await host.findChange(repository, headRef, context.signal);
  if (found || profile.spec.output.pullRequest === "None" || baseRef === undefined) return found;
  const opening = {
    headRef,
    baseRef,
    draft: profile.spec.output.pullRequest === "Draft",
    ...textOf(context, connection, host),
  };
  return host.openChange(repository, opening, context.signal);
}

function textOf({ facts }: StepContext, { reporter }: Connection, host: CodeHost): { title: string; body: string } {
  const { task, profile, integration } = facts;
  if (!reporter || !profile) throw new BellhopError("NotSupported", "this provider cannot describe a change");
  const text = {
    task,
    profile,
    host,
    encode: reporter.encode,
    commit: task.status?.publish?.newId ?? "",
    mention: integration?.status?.bot?.mention,
  };
  return { title: changeTitle(text), body: changeBody(text) };
}

async function hostOf(context: StepContext): Promise<CodeHost> {
  const { codeHost } = await context.connection();
  if (codeHost) return codeHost;
  throw new BellhopError("NotSupported", "this integration's provider is no code host");
}
