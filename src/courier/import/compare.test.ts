import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { yielder, type Content, differs } from "./compare.ts";

const chunk = Buffer.alloc(1024 * 1024, "a");
const size = 64 * chunk.length;
const id = createHash("sha1")
  .update(`blob ${size}\0${"a".repeat(size)}`)
  .digest("hex");
const tracked = { path: "file", mode: "100644", id, size } as const;
const content: Content = { mode: "100644", size, chunks: () => Array<Buffer>(64).fill(chunk), close: () => {} };

describe("the comparison with the base", () => {
  it("lets timers and signals run while it reads a large file", async () => {
    let heard = 0;
    const timer = setInterval(() => heard++, 0);
    expect(await differs(content, tracked, yielder())).toBe(false);
    clearInterval(timer);
    expect(heard).toBeGreaterThan(0);
  });

  it.each([
    { name: "another size", now: { ...content, size: 2 ** 40 } },
    { name: "another mode", now: { ...content, mode: "100755" } as const },
  ])("does not read what has $name", async ({ now }) => {
    const chunks = (): never => {
      throw new Error("it was read");
    };
    expect(await differs({ ...now, chunks }, tracked, yielder())).toBe(true);
  });

  it("detects other bytes of the same size", async () => {
    const other: Content = { ...content, chunks: () => Array<Buffer>(64).fill(Buffer.alloc(chunk.length, "b")) };
    expect(await differs(other, tracked, yielder())).toBe(true);
  });
});
