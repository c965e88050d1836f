/** A job, how often it runs, and how many run at once. */
export interface Several {
  /** For progress: `deliveries`. */
  what: string;
  total: number;
  atOnce: number;
  log: (line: string) => void;
}

const progressEveryMs = 2_000;

/** Does something for 1, 2, … `total`, several at once, and logs how far it is. Rejects with the first failure. */
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
