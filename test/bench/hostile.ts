import { encoder } from "../../src/integrations/github/encode.ts";
import { openFence } from "../../src/integrations/github/markdown/open-fence.ts";
import { stripHidden } from "../../src/integrations/github/markdown/strip.ts";
import { findMention } from "../../src/integrations/github/mention.ts";
import { hostileTexts } from "../hostile-texts.ts";
import { fill } from "../work.ts";
import { processorMsOf, quantile, rounds, sparingly, spread } from "./statistics.ts";

const length = 65_536;
const count = Number(process.env["ROUNDS"] ?? 7);
const encode = encoder("github.com");

/** Each reader, and its call with the repeated text. */
const readers: Readonly<Record<keyof typeof hostileTexts, (unit: string, length: number) => unknown>> = {
  mention: (unit, size) => findMention(`${fill(unit, size)}\n\n\`@bellhop\``, "bellhop"),
  stripHidden: (unit, size) => stripHidden(fill(unit, size)),
  openFence: (unit, size) => openFence(fill(unit, size)),
  encode: (unit, size) => encode(fill(unit, size), { maxBytes: size }),
  encodeAfterFixes: (unit, size) => encode(`fixes${fill(unit, size)}`, { maxBytes: size }),
};

interface Row {
  unit: string;
  /** Processor time for 128 KiB, in milliseconds. */
  ms: number[];
  /** Time for 128 KiB divided by time for 64 KiB. */
  ratios: number[];
}

/** Measures our readers on hostile texts: the slowest text of each, and the text whose time grows most with its length (2 is linear). */
export async function run(log: (line: string) => void): Promise<void> {
  const progress = sparingly(log);
  for (const [name, read] of Object.entries(readers)) {
    const units: readonly string[] = hostileTexts[name as keyof typeof hostileTexts];
    const rows: Row[] = [];
    for (const unit of units) {
      rows.push(await measure(unit, read));
      progress(`${name}: ${rows.length} of ${units.length} texts`);
    }
    const slowest = greatest(rows, ({ ms }) => ms);
    const steepest = greatest([slowest, ...rows.filter(isLong)], ({ ratios }) => ratios);
    log(`${name}: slowest ${JSON.stringify(slowest.unit)}, ${spread(slowest.ms, 2)} ms for 128 KiB`);
    log(`${name}: steepest ${JSON.stringify(steepest.unit)}, 128 KiB take ${spread(steepest.ratios, 2)} times 64 KiB`);
  }
}

async function measure(unit: string, read: (unit: string, length: number) => unknown): Promise<Row> {
  const sides = {
    once: () => processorMsOf(() => read(unit, length)),
    twice: () => processorMsOf(() => read(unit, 2 * length)),
  };
  const results = await rounds(count, sides, () => {});
  return { unit, ms: results.map(({ twice }) => twice), ratios: results.map(({ once, twice }) => twice / once) };
}

/** Shorter times depend more on the machine, and on the resolution of its clock, than on the reader. */
function isLong({ ms }: Row): boolean {
  return quantile(ms, 0.5) > 20;
}

function greatest(rows: readonly Row[], of: (row: Row) => number[]): Row {
  return rows.reduce((most, row) => (quantile(of(row), 0.5) > quantile(of(most), 0.5) ? row : most));
}
