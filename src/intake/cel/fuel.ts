/** What one node of an expression costs, in units of about a nanosecond. */
export const nodeCost = 25;

/** An evaluation that took more than it may. Nothing in an expression can catch it. */
export class FuelExhausted extends Error {
  constructor() {
    super("the rule took more than one evaluation may: compare shorter lists or texts");
    this.name = "FuelExhausted";
  }
}

/** Counts down what one evaluation may still cost. */
export class Fuel {
  #left: number;

  constructor(units: number) {
    this.#left = units;
  }

  /** Takes `units` off; throws `FuelExhausted` where they are not there. */
  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw new FuelExhausted();
  }
}
