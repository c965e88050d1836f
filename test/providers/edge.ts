import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createServer } from "node:tls";
import { parseArgs } from "node:util";

/**
 * A minimal TLS proxy, as it stands before a gateway in a real installation: terminates TLS and forwards the bytes.
 * `edge.ts --host 203.0.113.20 --port 443 --cert file --key file --to 10.96.1.2:80`, until SIGTERM.
 */
const option = { type: "string", default: "" } as const;
const { values } = parseArgs({
  options: { host: option, port: option, cert: option, key: option, to: option },
  strict: true,
});
const [host = "", port = ""] = values.to.split(":");

const server = createServer({ cert: readFileSync(values.cert), key: readFileSync(values.key) }, (inside) => {
  const outside = connect({ host, port: Number(port) });
  // Either end may close at any time; then the other is closed too.
  inside.on("error", () => outside.destroy()).on("close", () => outside.destroy());
  outside.on("error", () => inside.destroy()).on("close", () => inside.destroy());
  inside.pipe(outside).pipe(inside);
});
server.listen(Number(values.port), values.host);
process.once("SIGTERM", () => process.exit(0));
