import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ApiError } from "./errors.ts";
import { configMaps } from "./resources.ts";
import type { Transport } from "./transport.ts";
import { watchEvents } from "./watch.ts";

/** A transport whose stream yields these chunks, and then fails with `failure` if there is one. */
function streaming(chunks: Uint8Array[], failure?: Error): Transport {
  return {
    call: () => Promise.reject(new Error("a watch makes no calls")),
    stream: async () =>
      (async function* () {
        yield* chunks;
        if (failure) throw failure;
      })(),
    close: () => Promise.resolve(),
  };
}

async function read(transport: Transport): Promise<{ names: string[]; error: unknown }> {
  const names: string[] = [];
  try {
    for await (const { type, object } of watchEvents(transport, configMaps, {
      resourceVersion: "1",
      timeoutSeconds: 300,
    })) {
      names.push(`${type} ${object.metadata.name}`);
    }
    return { names, error: undefined };
  } catch (error) {
    return { names, error };
  }
}

const line = (name: string): string => `${JSON.stringify({ type: "ADDED", object: { metadata: { name } } })}\n`;

describe("watchEvents", () => {
  it("yields the same events for any split of the bytes, also inside characters", async () => {
    const bytes = Buffer.from(["ä", "€uro", "🛎️"].map(line).join(""));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 12 }), async (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        const { names, error } = await read(streaming(chunks));
        expect(error).toBeUndefined();
        expect(names).toEqual(["ADDED ä", "ADDED €uro", "ADDED 🛎️"]);
      }),
      { seed: 8, numRuns: 1_000 },
    );
  });

  it("yields the complete events before the connection broke, then throws", async () => {
    const { names, error } = await read(
      streaming([Buffer.from(line("a") + line("b").slice(0, 9))], new Error("reset")),
    );
    expect(names).toEqual(["ADDED a"]);
    expect(error).toMatchObject({ status: 0, reason: "Unreachable", retryable: true, cause: { message: "reset" } });
  });

  it("throws the error that the server sends in the stream", async () => {
    const object = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" };
    const { error } = await read(streaming([Buffer.from(JSON.stringify({ type: "ERROR", object }) + "\n")]));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 410, message: "watch configmaps: too old resource version (410 Expired)" });
  });

  it("throws on a line that is not an event", async () => {
    expect((await read(streaming([Buffer.from("<html>\n")]))).error).toMatchObject({ status: 0, retryable: true });
  });
});
