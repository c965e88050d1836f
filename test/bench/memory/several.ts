/** A job that runs several times, some of them in parallel. */
export interface Several {
  /** The word for the progress line, for example `deliveries`. */
  what: string;
  total: number;
  atOnce: number;
  log: (line: string) => void;
}

const progressEveryMs = 2_000;

/** Calls a function with 1, 2, … `total`, several calls at once, and logs the progress. Rejects with the first failure. */
export async function several(
  { what, total, atOnce, log }: Several,
  each: (id: number) => Promise<void>,
): Promise<void> {
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < total) await each(++begun);
  };
  const progress = setInterval(() => log(`${begun} of ${total} ${what}`), progressEveryMs);
  try {
    await Promise.all(Array.from({ length: atOnce }, worker));
  } finally {
    clearInterval(progress);
  }
}
