import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startAdmin } from "./admin.ts";
import { startSlack } from "./index.ts";
import type { SlackOptions } from "./options.ts";

const usage = `usage: main.ts [flags]
  --host <address>         listen there (127.0.0.1)
  --port <port>            Web API and response URLs (any free one)
  --admin-host <address>   actions of people, without access control (127.0.0.1)
  --admin-port <port>      (any free one)
  --public-url <url>       address that links in answers carry
  --name <name>            a further name or address in the certificate; may be repeated
  --cert, --key <file>     certificate chain and key, PEM, instead of created ones
  --ca-out <file>          write the certificate authority to this file
  --plain-http             no TLS
  --webhook-ca <file>      trust this authority for request URLs
`;

type Flags = ReturnType<typeof read>;

/** Runs a stand-in until SIGTERM or SIGINT. Prints one JSON line with its addresses when it is ready. */
async function main(): Promise<void> {
  const given = read();
  if (given.help) {
    process.stdout.write(usage);
    return;
  }
  const slack = await startSlack(optionsOf(given));
  const admin = await startAdmin(slack, { host: given["admin-host"], port: Number(given["admin-port"]) });
  if (given["ca-out"] !== undefined && slack.ca !== undefined) writeFileSync(given["ca-out"], slack.ca);
  const ready = { ready: true, url: slack.url, apiUrl: slack.apiUrl, adminUrl: admin.url, checked: slack.checked };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  const stop = async (): Promise<void> => {
    await admin.close();
    await slack.close();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop());
}

function read() {
  const options = {
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
  return parseArgs({ options, strict: true }).values;
}

function optionsOf(given: Flags): SlackOptions {
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
function tlsOf(given: Flags): Pick<SlackOptions, "tls"> {
  if (given.cert === undefined && given.key === undefined) return {};
  if (given.cert === undefined || given.key === undefined)
    throw new Error("--cert and --key belong together: give both.");
  const cert = readFileSync(given.cert, "utf8");
  return { tls: { cert, key: readFileSync(given.key, "utf8"), ca: cert } };
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  process.exitCode = 1;
});
