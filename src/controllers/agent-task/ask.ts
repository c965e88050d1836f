import type { AgentTask } from "../../api/kinds.ts";
import type { AgentTaskStatus } from "../../api/agent-task-status.ts";
import { isProviderFailure } from "../../integrations/errors.ts";
import { delayMs } from "../../shared/backoff.ts";
import { defined } from "../../shared/defined.ts";
import { BellhopError, describeError } from "../../shared/errors.ts";
import { isFinalRefusal } from "../provider-failure.ts";
import type { Decision, StatusPatch, TaskFacts } from "./facts.ts";
import { isOver, isStopping, requesterOf, targetOf } from "./state.ts";
import type { Step, StepContext } from "./steps.ts";

type Question = NonNullable<AgentTaskStatus["question"]>;
type Asked = NonNullable<Question["asked"]>;

interface AskReading {
  /** Whether the provider has messages that only one person sees. */
  canAsk: boolean;
}

/** Such a message cannot be found again, so after a crash nobody knows whether it was sent. It is sent a second time, and no third time. */
const maxTries = 2;
const maxFailures = 12;
const backoff = { baseMs: 5_000, maxMs: 300_000 };

/**
 * Sends the question for the repository to the requester, in a message with a menu that only they see. A courtesy: the report has the question too,
 * so a failure never fails the task. The report is posted first, because a chat may hide such a message in a thread without other replies.
 */
export const ask: Step<AskReading, "ask"> = {
  name: "ask",
  concerns: ({ task }) =>
    task.status?.report?.id !== undefined &&
    questionWithChoices(task) !== undefined &&
    !isOver(task) &&
    !isStopping(task),
  gather: async (context) => {
    const { thread } = await context.connection();
    return { canAsk: thread?.ask !== undefined && thread.has(targetOf(context.facts.task)) };
  },
  decide: decideAsk,
  apply: sendQuestion,
};

function questionWithChoices({ status }: AgentTask): Question | undefined {
  const { question } = status ?? {};
  return (question?.choices ?? []).length > 0 ? question : undefined;
}

/** The try is stored before the message is sent. A further answer that names no repository of ours is a new question. Pure. */
export function decideAsk({ task }: TaskFacts, { canAsk }: AskReading, now: Date): Decision<"ask"> {
  const question = questionWithChoices(task);
  if (!question || !canAsk) return {};
  const before = earlierTries(task, question);
  if (isDone(before)) return {};
  const waitMs = waitMsOf(before, now);
  if (waitMs > 0) return { requeueAfterMs: waitMs };
  const asked = { ...before, tries: before.tries + 1, triedAt: now.toISOString() };
  return { fields: { question: { ...question, asked } }, actions: ["ask"] };
}

/** The tries since the last answer. */
function earlierTries({ status }: AgentTask, { asked }: Question): Partial<Asked> & Pick<Asked, "tries"> {
  const answer = status?.requests?.findLast(({ type }) => type === "use")?.from;
  return asked && asked.answer === answer ? asked : { ...defined({ answer }), tries: 0 };
}

function isDone({ sentAt, tries, failures = 0 }: Partial<Asked> & Pick<Asked, "tries">): boolean {
  return sentAt !== undefined || tries >= maxTries || failures >= maxFailures;
}

function waitMsOf({ failures = 0, triedAt = "" }: Partial<Asked>, now: Date): number {
  return failures === 0 ? 0 : Date.parse(triedAt) + delayMs(backoff, failures) - now.getTime();
}

async function sendQuestion(context: StepContext): Promise<StatusPatch | undefined> {
  const { task } = context.facts;
  const question = questionWithChoices(task);
  if (!question?.asked) return undefined;
  try {
    await askPerson(context, { task, person: requesterOf(task).id });
    return answered(question, {
      ...question.asked,
      sentAt: context.deps.clock.now().toISOString(),
      lastError: undefined,
    });
  } catch (error) {
    if (!(error instanceof BellhopError)) throw error;
    return answered(question, failed(question.asked, error));
  }
}

/** Asks a person for the repository of a task. Throws `BellhopError`, `NotSupported` if the provider cannot. */
export async function askPerson(
  context: StepContext,
  { task, person }: { task: AgentTask; person: string },
): Promise<void> {
  const { thread } = await context.connection();
  if (!thread?.ask) throw new BellhopError("NotSupported", "The provider has no messages that only one person sees.");
  const text = task.status?.question?.text ?? "";
  await thread.ask(targetOf(task), { task: task.metadata.name, person, text }, context.signal);
}

function answered(question: Question, asked: Asked): StatusPatch {
  return { fields: { question: { ...question, asked } } };
}

/** A rate limit means that the message was not sent. A refusal is final. After any other failure nobody knows. */
function failed(asked: Asked, error: BellhopError): Asked {
  const tries = isFinalRefusal(error) ? maxTries : asked.tries - (isProviderFailure(error, "RateLimited") ? 1 : 0);
  return { ...asked, tries, failures: (asked.failures ?? 0) + 1, lastError: describeError(error).slice(0, 1_024) };
}
