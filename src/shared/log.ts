import pino from "pino";
import { secretRegistry } from "./redact.ts";

/** A structured logger: constant messages, facts as fields. `info` for what changed, `debug` for the steady state. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

/** Writes JSON lines to standard output. No line contains a registered secret or a text in a token's format. `LOG_LEVEL` sets the level. */
export function createLogger(
  process_: string,
  options: { level?: string; write?: (line: string) => void } = {},
): Logger {
  const write = options.write ?? ((line: string) => void process.stdout.write(line));
  return pino(
    {
      level: options.level ?? process.env["LOG_LEVEL"] ?? "info",
      base: { process: process_ },
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.errWithCause },
    },
    { write: (line: string) => write(redacted(line)) },
  );
}

/** Redacts only the values of a line, so that the choice of a secret cannot change the structure of a line. */
function redacted(line: string): string {
  if (secretRegistry.redact(line) === line) return line;
  const values = (_: string, value: unknown): unknown =>
    typeof value === "string" ? secretRegistry.redact(value) : value;
  return `${JSON.stringify(JSON.parse(line, values))}\n`;
}

/** Drops everything; for tests. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
