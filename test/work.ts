import { Script } from "node:vm";

/**
 * Time after which a call counts as hanging and is ended. It is no measurement: for the sizes below, linear work takes a hundredth of it on a slow
 * machine, and quadratic work many minutes on a fast one.
 */
const hangMs = 45_000;

/** Length of hostile texts, in characters: eight times the maximum length that our readers accept. */
export const hostileLength = 524_288;

/** A text of `length` characters that repeats `unit`. */
export function fill(unit: string, length: number): string {
  return unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
}

/**
 * Runs `work` on n and on 2n characters of hostile text, and throws if the work does not grow in proportion to the text: if searches through
 * texts look at more than twice as many characters (with a tolerance of a tenth), or if it hangs (in a regular expression, in a loop).
 */
export function assertLinear(work: (length: number) => void): void {
  const once = searched(() => withoutHanging(() => work(hostileLength / 2)));
  const twice = searched(() => withoutHanging(() => work(hostileLength)));
  if (twice <= once * 2.2 + hostileLength) return;
  throw new Error(`searches looked at ${once} characters, and at ${twice} for a text twice as long`);
}

/** Runs `work` and ends it if it hangs: vitest's own time-out cannot end synchronous code. */
export function withoutHanging<T>(work: () => T): T {
  const outcome: { result?: T } = {};
  Object.defineProperty(globalThis, slot, { value: () => (outcome.result = work()), configurable: true });
  try {
    call.runInThisContext({ timeout: hangMs });
    return outcome.result as T;
  } finally {
    Reflect.deleteProperty(globalThis, slot);
  }
}

const slot = "bellhopWorkUnderTest";
const call = new Script(`${slot}()`);

/**
 * How many characters the methods of strings that search or compare look at while `work` runs: a count of work that is the same on every
 * machine. Regular expressions and loops over characters are not counted.
 */
export function searched(work: () => void): number {
  let characters = 0;
  const originals = new Map(
    Object.keys(costs).map((name) => [name, Reflect.get(String.prototype, name) as (...given: unknown[]) => unknown]),
  );
  for (const [name, original] of originals) {
    const cost = costs[name] as Cost;
    Reflect.set(String.prototype, name, function (this: unknown, ...given: unknown[]): unknown {
      const result = original.apply(this, given);
      characters += cost(String(this), given, result);
      return result;
    });
  }
  try {
    work();
  } finally {
    for (const [name, original] of originals) Reflect.set(String.prototype, name, original);
  }
  return characters;
}

/** Characters that one call looked at, of the text, the arguments and the result. */
type Cost = (text: string, given: unknown[], result: unknown) => number;

const { indexOf } = String.prototype;
const whole: Cost = (text) => text.length;
const other: Cost = (_text, [part]) => String(part).length;

const costs: Readonly<Record<string, Cost>> = {
  indexOf: (text, [part, from = 0], at) => (at === -1 ? text.length : Number(at) + String(part).length) - Number(from),
  lastIndexOf: whole,
  includes: (text, [part, from = 0], found) =>
    found === true ? indexOf.call(text, String(part), Number(from)) - Number(from) : text.length - Number(from),
  startsWith: other,
  endsWith: other,
  toLowerCase: whole,
  toUpperCase: whole,
  replaceAll: whole,
  trim: whole,
};
