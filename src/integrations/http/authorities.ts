import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { getCACertificates } from "node:tls";
import type { Clock } from "../../shared/clock.ts";
import { BellhopError, describeError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";

/** Certificate authorities for calls to providers. */
export interface Authorities {
  /** PEM texts; the same array until they have changed. Undefined stands for the built-in ones alone. */
  current(): string[] | undefined;
}

/** The kubelet needs about a minute to bring a changed ConfigMap to its pods, so a closer look gains nothing. */
const rereadMs = 60_000;

/**
 * The built-in authorities and those of a PEM file that others may change, a mounted ConfigMap for example. The file is read again when what
 * we have is a minute old; where it cannot be read or has no certificates then, those before stay and the log says so. Throws
 * `BellhopError` where it is of no use from the start.
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
      log.info({ path }, "certificate authorities have changed");
    } catch (error) {
      log.error({ path, why: describeError(error) }, "cannot use changed certificate authorities, those before stay");
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

/** The file's text, once each certificate in it has been parsed: TLS itself ignores what it does not understand. */
function readCertificates(path: string): string {
  try {
    const text = readFileSync(path, "utf8");
    const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    if (certificates.length === 0) throw new Error("there is no certificate in it");
    for (const certificate of certificates) void new X509Certificate(certificate);
    return text;
  } catch (error) {
    const message = `Cannot use the certificate authorities in ${path}, which must be a PEM file with certificates`;
    throw new BellhopError("AuthoritiesUnusable", message, { cause: error });
  }
}
