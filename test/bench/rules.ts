import { compileRule, ruleBudget } from "../../src/intake/cel.ts";
import { Fuel } from "../../src/intake/cel/values.ts";
import { hostileBody, hostileRules } from "../hostile-rules.ts";
import { processorMsOf, quantile, rounds, sparingly, spread } from "./statistics.ts";

const count = Number(process.env["ROUNDS"] ?? 5);

interface Row {
  expression: string;
  /** Processor time, in milliseconds. */
  ms: number[];
  /** Nanoseconds for each unit of fuel; undefined if the rule used too little fuel to measure it. */
  nsPerUnit: number | undefined;
}

/**
 * Measures hostile rules on a hostile body, and the time per unit of fuel. Expected: about a nanosecond each, and no rule many times above
 * the median.
 */
export async function run(log: (line: string) => void): Promise<void> {
  const progress = sparingly(log);
  const rows: Row[] = [];
  for (const { expression } of hostileRules) {
    rows.push(await measure(expression));
    progress(`${rows.length} of ${hostileRules.length} rules`);
  }
  const slowest = rows.reduce((most, row) => (quantile(row.ms, 0.5) > quantile(most.ms, 0.5) ? row : most));
  const measured = rows.filter(({ nsPerUnit }) => nsPerUnit !== undefined);
  const perUnit = measured.map(({ nsPerUnit = 0 }) => nsPerUnit);
  const dearest = measured.find(({ nsPerUnit }) => nsPerUnit === Math.max(...perUnit));
  log(`slowest: ${spread(slowest.ms, 1)} ms, ${slowest.expression}`);
  log(`a unit of fuel, over ${measured.length} rules: ${spread(perUnit, 2)} ns`);
  log(
    `dearest: ${(Math.max(...perUnit) / quantile(perUnit, 0.5)).toFixed(1)} times the median, ${dearest?.expression}`,
  );
}

async function measure(expression: string): Promise<Row> {
  const rule = compileRule(expression);
  if (!rule.ok) throw new Error(`${expression}: ${rule.message}`);
  let fuel = new Fuel(ruleBudget);
  const evaluate = (): number => {
    fuel = new Fuel(ruleBudget);
    return processorMsOf(() => rule.evaluate({}, hostileBody, fuel));
  };
  const ms = (await rounds(count, { evaluate }, () => {})).map((one) => one.evaluate);
  // The last unit was requested but not executed.
  const done = fuel.spent <= ruleBudget ? fuel.spent : ruleBudget;
  const measurable = fuel.spent > ruleBudget / 10 && fuel.spent < ruleBudget * 1.1;
  return { expression, ms, nsPerUnit: measurable ? (quantile(ms, 0.5) * 1e6) / done : undefined };
}
