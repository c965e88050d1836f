// The library registers its algorithms through decorators, which need this polyfill first.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** A certificate and its private key, PEM. */
export interface KeyPair {
  certificate: string;
  privateKey: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const dayMs = 86_400_000;

/** Creates a self-signed certificate authority. */
export async function createAuthority(name: string, now: Date, days: number): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...validity(now, days),
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate: certificate.toString("pem"), privateKey: await exportKey(keys.privateKey) };
}

/** Creates a server certificate for these DNS names and addresses, signed by the authority. */
export async function issueServer(
  authority: KeyPair,
  hosts: readonly string[],
  now: Date,
  days: number,
): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const [commonName = "bellhop"] = hosts;
  const certificate = await X509CertificateGenerator.create({
    ...validity(now, days),
    subject: `CN=${commonName.slice(0, 64)}`,
    issuer: new X509Certificate(authority.certificate).subject,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.privateKey),
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        hosts.map((value) => ({ type: isAddress(value) ? ("ip" as const) : ("dns" as const), value })),
      ),
    ],
  });
  return { certificate: certificate.toString("pem"), privateKey: await exportKey(keys.privateKey) };
}

/** Whether a certificate must be renewed: it is unreadable, for other hosts, signed by another authority, or in the last third of its validity. */
export async function needsRenewal(
  pair: KeyPair | undefined,
  authority: KeyPair,
  hosts: readonly string[],
  now: Date,
): Promise<boolean> {
  const certificate = pair && parsed(pair.certificate);
  if (!certificate) return true;
  const { notBefore, notAfter } = certificate;
  const renewAt = notAfter.getTime() - (notAfter.getTime() - notBefore.getTime()) / 3;
  const issuer = new X509Certificate(authority.certificate);
  const signed = await certificate.verify({ publicKey: issuer, signatureOnly: true });
  const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items.map(({ value }) => value) ?? [];
  return !signed || now.getTime() > renewAt || hosts.some((host) => !names.includes(host));
}

function parsed(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    // An unreadable certificate is of no use: the caller renews it.
    return undefined;
  }
}

function validity(now: Date, days: number): { notBefore: Date; notAfter: Date } {
  // Valid since an hour ago, for clocks that are behind.
  return { notBefore: new Date(now.getTime() - 3_600_000), notAfter: new Date(now.getTime() + days * dayMs) };
}

function isAddress(host: string): boolean {
  return /^[0-9.]+$/.test(host) || host.includes(":");
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${der.replaceAll(/(.{64})/g, "$1\n").trimEnd()}\n-----END PRIVATE KEY-----\n`;
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  return webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
}
