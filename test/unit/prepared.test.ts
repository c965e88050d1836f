import { expect, it } from "vitest";
import type { TestProject } from "vitest/node";
import { prepare, prepared } from "../cluster/prepared.ts";

/** A preparation as vitest begins it: the file that tests wait on, and the end of it all. */
function begin(work: Parameters<typeof prepare>[1]): { file: string; end: () => Promise<void> } {
  let file = "";
  const project = { provide: (_key: string, value: string) => (file = value) } as unknown as TestProject;
  const end = prepare(project, work);
  return { file, end };
}

it("tests wait for what is prepared, while the preparation's beginning has returned", async () => {
  const work = Promise.withResolvers<void>();
  const { file, end } = begin(() => work.promise);
  let waited = false;
  const waiting = prepared(file).then(() => (waited = true));
  expect(waited).toBe(false);
  work.resolve();
  await waiting;
  await end();
});

it("tests fail with what the preparation failed with", async () => {
  const { file, end } = begin(() => Promise.reject(new Error("Go is missing")));
  await expect(prepared(file)).rejects.toThrow("Go is missing");
  await end();
});

it("a preparation is told when the tests are over, and waited for", async () => {
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
