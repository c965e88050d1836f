/**
 * What a benchmark's module exports. `log` takes one line, without its end: figures, and progress where more than 2 s pass without any
 * (`rounds` in statistics.ts logs that for you). It throws where it cannot measure, cleans up after itself, and leaves no global state changed.
 *
 * A figure of this machine says little. So each claim is a ratio of two things measured in one run, in rounds that alternate, and each figure
 * is a median with its spread: `rounds` and `spread` in statistics.ts.
 */
export interface BenchmarkModule {
  run(log: (line: string) => void): Promise<void>;
}

/** One row of the table. */
export interface Benchmark {
  /** What it measures, in one line. */
  description: string;
  load(): Promise<BenchmarkModule>;
}

/** All benchmarks, in the order in which they run. */
export const benchmarks: Readonly<Record<string, Benchmark>> = {
  gateway: {
    description: "deliveries that a gateway stores, against bare custom resources from the same client",
    load: () => import("./gateway.ts"),
  },
  hostile: {
    description: "what hostile texts take the readers of comments and reports, at 64 and 128 KiB",
    load: () => import("./hostile.ts"),
  },
  rules: {
    description: "what hostile rules take, and what a unit of their fuel takes",
    load: () => import("./rules.ts"),
  },
  imports: {
    description: "the courier's import of thousands of files, against git's own commit",
    load: () => import("./imports.ts"),
  },
  leader: {
    description: "how long nobody leads after a leader's stop and after its death, against its lease",
    load: () => import("./leader.ts"),
  },
  reaction: {
    description: "how long people wait for the first reaction, against the answer to the delivery",
    load: () => import("./reaction.ts"),
  },
};
