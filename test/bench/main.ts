/**
 * `make bench`: runs the benchmarks that its arguments name, one after the other; all of them without arguments. Tests never measure time
 * (CONTRIBUTING.md); benchmarks do. An unknown name ends the command before anything runs. A benchmark that fails does not stop the others.
 */
import { describeError } from "../../src/shared/errors.ts";
import { benchmarks, type Benchmark } from "./benchmarks.ts";

const write = (line: string): void => void process.stdout.write(`${line}\n`);
const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in benchmarks));

if (unknown.length > 0) {
  process.stderr.write(`no benchmark is called ${unknown.join(" or ")}; there are:\n${list().join("\n")}\n`);
  process.exitCode = 2;
} else {
  for (const [name, benchmark] of Object.entries(benchmarks)) {
    if (names.length === 0 || names.includes(name)) await runOne(name, benchmark);
  }
}

async function runOne(name: string, { description, load }: Benchmark): Promise<void> {
  write(`== ${name}: ${description}`);
  try {
    const { run } = await load();
    await run((line) => write(`  ${line}`));
  } catch (error) {
    write(`${name}: failed: ${describeError(error)}`);
    process.exitCode = 1;
  }
}

function list(): string[] {
  const width = Math.max(...Object.keys(benchmarks).map((name) => name.length));
  return Object.entries(benchmarks).map(([name, { description }]) => `  ${name.padEnd(width)}  ${description}`);
}
