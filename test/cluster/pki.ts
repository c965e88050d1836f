import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const ecKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];

/** A client certificate and its key, PEM. The common name is the user, each organisation a group. */
export interface Credentials {
  user: string;
  groups: string[];
  certificate: string;
  key: string;
}

/** A small certificate authority in a folder, for the server, its clients and the service account tokens. */
export interface Pki {
  caFile: string;
  serverCertificateFile: string;
  serverKeyFile: string;
  serviceAccountKeyFile: string;
  serviceAccountPublicFile: string;
  issue(user: string, groups: string[]): Promise<Credentials>;
}

/** Creates the authority and the server's files below `folder`. Needs the `openssl` command, 3.0 or newer. */
export async function createPki(folder: string): Promise<Pki> {
  const file = (name: string): string => join(folder, name);
  const authority = ["-addext", "keyUsage=critical,keyCertSign,digitalSignature"];
  await certificate(file("ca"), "/CN=bellhop-test-ca", authority);
  const signed = (name: string, subject: string, extensions: string[]): Promise<void> =>
    certificate(file(name), subject, [
      "-CA",
      file("ca.crt"),
      "-CAkey",
      file("ca.key"),
      ...["basicConstraints=critical,CA:FALSE", ...extensions].flatMap((extension) => ["-addext", extension]),
    ]);
  await signed("apiserver", "/CN=kube-apiserver", [
    "extendedKeyUsage=serverAuth",
    "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc",
  ]);
  await writeServiceAccountKeys(file("sa.key"), file("sa.pub"));
  let issued = 0;
  return {
    caFile: file("ca.crt"),
    serverCertificateFile: file("apiserver.crt"),
    serverKeyFile: file("apiserver.key"),
    serviceAccountKeyFile: file("sa.key"),
    serviceAccountPublicFile: file("sa.pub"),
    async issue(user, groups) {
      const name = `client-${++issued}`;
      const subject = [...groups.map((group) => `/O=${escape(group)}`), `/CN=${escape(user)}`].join("");
      await signed(name, subject, ["extendedKeyUsage=clientAuth"]);
      const [pem, key] = await Promise.all([
        readFile(file(`${name}.crt`), "utf8"),
        readFile(file(`${name}.key`), "utf8"),
      ]);
      return { user, groups, certificate: pem, key };
    },
  };
}

/** In a subject, "/" and "+" separate and "\" escapes. */
function escape(value: string): string {
  return value.replace(/[/+\\]/g, String.raw`\$&`);
}

/** Writes `<path>.key` and `<path>.crt`. */
async function certificate(path: string, subject: string, options: string[]): Promise<void> {
  const output = ["-keyout", `${path}.key`, "-out", `${path}.crt`];
  try {
    await run("openssl", ["req", "-x509", ...ecKey, "-subj", subject, ...options, ...output], { timeout: 20_000 });
  } catch (error) {
    throw new Error("openssl could not make a certificate: the test cluster needs the openssl command, 3.0 or newer", {
      cause: error,
    });
  }
}

async function writeServiceAccountKeys(keyFile: string, publicFile: string): Promise<void> {
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  await writeFile(keyFile, pair.privateKey, { mode: 0o600 });
  await writeFile(publicFile, pair.publicKey);
}
