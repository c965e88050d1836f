import { invalidArguments } from "./failure.ts";

/** The arguments of a call, from the query, a form, or a JSON body. Forms carry lists and objects as JSON text. */
export class Params {
  readonly #values: Record<string, unknown>;

  constructor(values: Record<string, unknown>) {
    this.#values = values;
  }

  /** A text argument, or undefined if it is absent. Numbers and booleans of a JSON body count as text. */
  text(name: string): string | undefined {
    const value = this.#values[name];
    if (value === undefined || value === null) return undefined;
    return typeof value === "string" ? value : JSON.stringify(value);
  }

  /** A required text argument. */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === "") throw invalidArguments(`[ERROR] missing required field: ${name}`);
    return value;
  }

  /** A boolean argument: `true`, `1` and `t` are true. */
  flag(name: string, otherwise = false): boolean {
    const value = this.text(name);
    return value === undefined ? otherwise : /^(true|1|t|yes)$/i.test(value);
  }

  /** An argument that is a list or object, or JSON text of one. Undefined if it is absent or empty. */
  json(name: string): unknown {
    const value = this.#values[name];
    if (typeof value !== "string") return value ?? undefined;
    if (value === "") return undefined;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      throw invalidArguments(`[ERROR] invalid JSON: ${name}`);
    }
  }

  /** All arguments, for the log. */
  all(): Record<string, unknown> {
    return this.#values;
  }
}
