import { describe, expect, it } from "vitest";
import { BellhopError, describeError, errorCode } from "./errors.ts";
import { createLogger } from "./log.ts";

function aLog(level = "debug") {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger("operator", {
    level,
    write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  return { log, lines };
}

describe("logger", () => {
  it("writes one JSON object a line: level, time, process, message, fields", () => {
    const { log, lines } = aLog();
    log.child({ controller: "task" }).info({ name: "x" }, "reconciled");
    expect(lines).toEqual([
      {
        level: "info",
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        process: "operator",
        controller: "task",
        name: "x",
        message: "reconciled",
      },
    ]);
  });

  it("writes nothing below its level", () => {
    const { log, lines } = aLog("warn");
    log.info({}, "no");
    log.warn({}, "yes");
    expect(lines.map(({ message }) => message)).toEqual(["yes"]);
  });

  it("writes an error with its causes and its code", () => {
    const { log, lines } = aLog();
    const error = new BellhopError("Broken", "outer", { cause: new Error("inner") });
    log.error({ error }, "failed");
    expect(lines[0]?.["error"]).toMatchObject({ message: "outer", code: "Broken", cause: { message: "inner" } });
  });

  it("redacts tokens in fields, messages and errors", () => {
    const { log, lines } = aLog();
    const token = "ghp_abcdefghijklmnop";
    log.error({ url: `https://x:${token}@github.com`, error: new Error(`bad ${token}`) }, `with ${token}`);
    expect(JSON.stringify(lines)).not.toContain(token);
    expect(lines[0]?.["message"]).toBe("with [redacted]");
  });
});

describe("errors", () => {
  it("are described with their causes, at most five levels deep", () => {
    const chain = new Error("a", { cause: new Error("b", { cause: "c" }) });
    expect(describeError(chain)).toBe("a: b: c");
    const endless = new Error("x");
    endless.cause = endless;
    expect(describeError(endless)).toBe("x: x: x: x: x");
    expect(describeError({ odd: 1 })).toBe('{"odd":1}');
  });

  it("return their code, if they have one", () => {
    expect(errorCode(new BellhopError("Broken", "x"))).toBe("Broken");
    expect(errorCode(Object.assign(new Error("x"), { code: "ECONNRESET" }))).toBe("ECONNRESET");
    expect([errorCode(null), errorCode("x"), errorCode({ code: 5 }), errorCode({})]).toEqual(Array(4).fill(undefined));
  });
});
