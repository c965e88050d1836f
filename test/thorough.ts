/**
 * How many cases a property test tries: a tenth of `cases`, so that a slow machine is done within its time-outs, or all of them where
 * `BELLHOP_THOROUGH` is set. Seeds are fixed: a second run on the same code tries nothing new.
 */
export function thorough(cases: number): number {
  return process.env["BELLHOP_THOROUGH"] ? cases : cases / 10;
}
