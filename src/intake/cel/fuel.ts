/** What one node of an expression costs, in units of about a nanosecond. */
export const nodeCost = 25;

/** An evaluation that took more than it may. Nothing in an expression can catch it. */
export class FuelExhausted extends Error {
  constructor() {
    super("the rule took more than one evaluation may: compare shorter lists or texts");
    this.name = "FuelExhausted";
  }
}

/** Counts what one evaluation costs, and stops it where that is more than it may. */
export class Fuel {
  readonly #units: number;
  #spent = 0;

  constructor(units: number) {
    this.#units = units;
  }

  /** What it has cost so far; more than there was, where that stopped the evaluation. */
  get spent(): number {
    return this.#spent;
  }

  /** Takes `units` off; throws `FuelExhausted` where they are not there. */
  spend(units: number): void {
    this.#spent += units;
    if (this.#spent > this.#units) throw new FuelExhausted();
  }
}
