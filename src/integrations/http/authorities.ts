import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { getCACertificates } from "node:tls";
import type { Clock } from "../../shared/clock.ts";
import { BellhopError, describeError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";

/** The certificate authorities to trust in calls to providers. */
export interface Authorities {
  /** PEM texts; the same array until they change. Undefined means only the built-in authorities. */
  current(): string[] | undefined;
}

/** The kubelet needs about a minute to update a changed ConfigMap in its pods, so a shorter interval has no use. */
const rereadMs = 60_000;

/**
 * Follows a PEM file that others may change, for example a mounted ConfigMap, and adds its authorities to the built-in ones. Reads the
 * file again when the last read is a minute old. If the file is then unreadable or has no certificates, the previous authorities stay
 * and the log says so. Throws `BellhopError` if the file is already unusable at the start.
 */
export function followAuthorities(path: string | undefined, deps: { clock: Clock; log: Logger }): Authorities {
  if (path === undefined || path === "") return { current: () => undefined };
  const { clock, log } = deps;
  let text = readCertificates(path);
  let authorities = withBuiltIn(text);
  let readAtMs = clock.now().getTime();

  const reread = (): void => {
    readAtMs = clock.now().getTime();
    try {
      const now = readCertificates(path);
      if (now === text) return;
      text = now;
      authorities = withBuiltIn(text);
      log.info({ path }, "certificate authorities changed");
    } catch (error) {
      log.error(
        { path, why: describeError(error) },
        "cannot use the changed certificate authorities, keeping the previous ones",
      );
    }
  };
  return {
    current() {
      if (clock.now().getTime() - readAtMs >= rereadMs) reread();
      return authorities;
    },
  };
}

function withBuiltIn(text: string): string[] {
  return [...getCACertificates("default"), text];
}

/** Reads the file and parses each certificate to check it, because TLS itself silently ignores certificates that it cannot parse. */
function readCertificates(path: string): string {
  try {
    const text = readFileSync(path, "utf8");
    const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    if (certificates.length === 0) throw new Error("the file contains no certificate");
    for (const certificate of certificates) void new X509Certificate(certificate);
    return text;
  } catch (error) {
    const message = `Cannot use the certificate authorities in ${path}, which must be a PEM file with certificates`;
    throw new BellhopError("AuthoritiesUnusable", message, { cause: error });
  }
}
