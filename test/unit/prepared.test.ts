import { expect, it } from "vitest";
import { prepare, prepared } from "../cluster/prepared.ts";

/** A preparation as vitest starts it: the file that tests wait for, and the function that ends it. */
function begin(work: Parameters<typeof prepare>[1]): { file: string; end: () => Promise<void> } {
  let file = "";
  const project = { provide: (_key: string, value: unknown) => void (file = String(value)) };
  const end = prepare(project, work);
  return { file, end };
}

it("tests wait for the preparation, which runs in the background", async () => {
  const work = Promise.withResolvers<void>();
  const { file, end } = begin(() => work.promise);
  let waited = false;
  const waiting = prepared(file).then(() => (waited = true));
  expect(waited).toBe(false);
  work.resolve();
  await waiting;
  await end();
});

it("tests fail with the error of the preparation", async () => {
  const { file, end } = begin(() => Promise.reject(new Error("Go is missing")));
  await expect(prepared(file)).rejects.toThrow("Go is missing");
  await end();
});

it("a preparation gets a signal at the end of the tests, which then waits for it", async () => {
  let ended = false;
  const { end } = begin(
    ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => setImmediate(() => ((ended = true), resolve())));
      }),
  );
  await end();
  expect(ended).toBe(true);
});
