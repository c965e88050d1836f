/**
 * The interface of a benchmark's module. `log` takes one line without a line break: results, and progress if nothing was logged for 2 s
 * (`rounds` in statistics.ts does this for you). It throws if it cannot measure, cleans up after itself, and leaves no global state changed.
 *
 * An absolute figure of one machine says little. Therefore each result is a ratio of two measurements of one run, in alternating rounds, and each
 * figure is a median with its spread: `rounds` and `spread` in statistics.ts.
 */
export interface BenchmarkModule {
  run(log: (line: string) => void): Promise<void>;
}

/** One row of the table. */
export interface Benchmark {
  /** The measured quantity, in one line. */
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
  load: {
    description: "an operator's start and one event, on 10, 1,000 and 6,000 tasks, against the fewest tasks",
    load: () => import("./load.ts"),
  },
  burst: {
    description: "bursts of 20 and 60 mentions to one App, and what they cost a neighbour with an App of its own",
    load: () => import("./burst.ts"),
  },
  memory: {
    description: "what each process holds in memory, idle and after load",
    load: () => import("./memory.ts"),
  },
};
