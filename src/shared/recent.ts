import type { Clock } from "./clock.ts";

/** Asks again only if the last answer to the same question is too old. Calls at the same time share one answer. */
export type Recent = <Answer>(question: string, ask: () => Promise<Answer>) => Promise<Answer>;

/** Above this number, the oldest answers are forgotten. */
const maxAnswers = 1_000;

/**
 * Keeps answers for `keptMs` milliseconds, in memory. Failures, and `undefined` for something that does not exist, are not kept: as soon as
 * somebody repairs or creates it, it is seen. For questions that are asked often and whose answers change rarely.
 */
export function createRecent(clock: Clock, keptMs: number): Recent {
  const answers = new Map<string, { untilMs: number; answer: Promise<unknown> }>();
  return <Answer>(question: string, ask: () => Promise<Answer>): Promise<Answer> => {
    const known = answers.get(question);
    if (known && known.untilMs > clock.now().getTime()) return known.answer as Promise<Answer>;
    const asked = { untilMs: clock.now().getTime() + keptMs, answer: ask() };
    const forget = (): void => {
      if (answers.get(question) === asked) answers.delete(question);
    };
    asked.answer.then((answer) => answer === undefined && forget(), forget);
    answers.delete(question);
    answers.set(question, asked);
    for (const oldest of [...answers.keys()].slice(0, answers.size - maxAnswers)) answers.delete(oldest);
    return asked.answer;
  };
}
