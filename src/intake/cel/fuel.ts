/** The cost of one node of an expression, in units of about a nanosecond. */
export const nodeCost = 25;

/** Thrown when an evaluation exceeds its budget. An expression cannot catch it. */
export class FuelExhausted extends Error {
  constructor() {
    super("the rule exceeded the cost limit of one evaluation; compare shorter lists or texts");
    this.name = "FuelExhausted";
  }
}

/** Counts the cost of one evaluation, and stops the evaluation when it exceeds the budget. */
export class Fuel {
  readonly #units: number;
  #spent = 0;

  constructor(units: number) {
    this.#units = units;
  }

  /** The cost so far; greater than the budget if the evaluation was stopped. */
  get spent(): number {
    return this.#spent;
  }

  /** Charges `units`; throws `FuelExhausted` if the budget is exceeded. */
  spend(units: number): void {
    this.#spent += units;
    if (this.#spent > this.#units) throw new FuelExhausted();
  }
}
