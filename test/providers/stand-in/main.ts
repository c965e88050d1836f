import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Admin } from "./admin-port.ts";
import type { StandInOptions } from "./options.ts";

/** A stand-in that runs. */
interface Running {
  url: string;
  apiUrl: string;
  ca: string | undefined;
  checked: boolean;
  close(): Promise<void>;
}

/** Describes how a stand-in runs as a process. */
export interface StandInProcess<Options extends StandInOptions, StandIn extends Running> {
  /** Use of the port, for the usage text. */
  serves: string;
  /** Text flags that only this stand-in has: the option that each sets, and its line in the usage. */
  flags?: Record<string, { option: keyof Options & string; usage: string }>;
  start(options: Options): Promise<StandIn>;
  startAdmin(standIn: StandIn, at: { host: string; port: number }): Promise<Admin>;
}

/** Runs a stand-in until SIGTERM or SIGINT. Prints one JSON line with its addresses when it is ready. */
export function runStandIn<Options extends StandInOptions, StandIn extends Running>(
  standIn: StandInProcess<Options, StandIn>,
): void {
  run(standIn).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usageOf(standIn)}`);
    process.exitCode = 1;
  });
}

async function run<Options extends StandInOptions, StandIn extends Running>(
  standIn: StandInProcess<Options, StandIn>,
): Promise<void> {
  const own = standIn.flags ?? {};
  const given = read(Object.keys(own));
  if (given.help) {
    process.stdout.write(usageOf(standIn));
    return;
  }
  const more = Object.entries(own).flatMap(([flag, { option }]) => (flag in given ? [[option, given[flag]]] : []));
  const running = await standIn.start({ ...optionsOf(given), ...Object.fromEntries(more) } as Options);
  const admin = await standIn.startAdmin(running, { host: given["admin-host"], port: Number(given["admin-port"]) });
  if (given["ca-out"] !== undefined && running.ca !== undefined) writeFileSync(given["ca-out"], running.ca);
  const { url, apiUrl, checked } = running;
  process.stdout.write(`${JSON.stringify({ ready: true, url, apiUrl, adminUrl: admin.url, checked })}\n`);
  const stop = async (): Promise<void> => {
    await admin.close();
    await running.close();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop());
}

const flags = {
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "0" },
  "admin-host": { type: "string", default: "127.0.0.1" },
  "admin-port": { type: "string", default: "0" },
  "public-url": { type: "string" },
  name: { type: "string", multiple: true },
  cert: { type: "string" },
  key: { type: "string" },
  "ca-out": { type: "string" },
  "plain-http": { type: "boolean", default: false },
  "webhook-ca": { type: "string" },
  help: { type: "boolean", default: false },
} as const;

type Flags = ReturnType<typeof parseArgs<{ options: typeof flags; strict: true }>>["values"];

function read(own: readonly string[]): Flags & Record<string, unknown> {
  const more = Object.fromEntries(own.map((flag) => [flag, { type: "string" as const }]));
  return parseArgs({ options: { ...more, ...flags }, strict: true }).values;
}

function usageOf<Options extends StandInOptions, StandIn extends Running>({
  serves,
  flags: own = {},
}: StandInProcess<Options, StandIn>): string {
  return `usage: main.ts [flags]
  --host <address>         listen there (127.0.0.1)
  --port <port>            ${serves} (any free one)
  --admin-host <address>   actions of people, without access control (127.0.0.1)
  --admin-port <port>      (any free one)
  --public-url <url>       web address that links in answers carry
  --name <name>            a further name or address in the certificate; may be repeated
  --cert, --key <file>     certificate chain and key, PEM, instead of created ones
  --ca-out <file>          write the certificate authority to this file
  --plain-http             no TLS
  --webhook-ca <file>      trust this authority for receivers of deliveries
${Object.values(own)
  .map(({ usage }) => `  ${usage}\n`)
  .join("")}`;
}

function optionsOf(given: Flags): StandInOptions {
  return {
    host: given.host,
    port: Number(given.port),
    plainHttp: given["plain-http"],
    names: given.name ?? [],
    ...(given["public-url"] !== undefined && { publicUrl: given["public-url"] }),
    ...(given["webhook-ca"] !== undefined && { webhookCa: readFileSync(given["webhook-ca"], "utf8") }),
    ...tlsOf(given),
  };
}

/** This process does not know the authority of a given certificate, so it reports the certificate itself as the authority. */
function tlsOf(given: Flags): Pick<StandInOptions, "tls"> {
  if (given.cert === undefined && given.key === undefined) return {};
  if (given.cert === undefined || given.key === undefined) throw new Error("--cert and --key must be used together.");
  const cert = readFileSync(given.cert, "utf8");
  return { tls: { cert, key: readFileSync(given.key, "utf8"), ca: cert } };
}
