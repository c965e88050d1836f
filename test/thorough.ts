/**
 * How many cases a property test tries: a tenth of `cases`, so that a slow machine meets its time-outs, or all of them if
 * `BELLHOP_THOROUGH` is set. Seeds are fixed: a second run on the same code tries the same cases.
 */
export function thorough(cases: number): number {
  return process.env["BELLHOP_THOROUGH"] ? cases : cases / 10;
}
