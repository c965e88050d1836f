import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeLayout } from "./options.ts";
import { run } from "./run.ts";

interface CertificateOptions {
  /** Name of the files: `<name>.crt` and `<name>.key`. */
  name: string;
  commonName: string;
  organization?: string;
  /** Subject alternative names: `DNS:…` and `IP:…`. */
  alternativeNames?: string[];
}

const lifetime = ["-days", "30"];
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Writes a certificate authority, a certificate for each daemon, and the key pair for service account tokens into `layout.pki`. */
export async function writePKI(layout: NodeLayout): Promise<void> {
  mkdirSync(layout.pki, { recursive: true, mode: 0o700 });
  const openssl = (...args: string[]): Promise<string> => run(["openssl", ...args], { cwd: layout.pki });
  const authority = ["-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=bellhop-test-node"];
  await openssl("req", "-x509", ...newKey, ...lifetime, ...authority);
  for (const [index, certificate] of certificates(layout).entries()) {
    await issue(layout.pki, certificate, { serial: index + 2, openssl });
  }
  await openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "sa.key");
  await openssl("ec", "-in", "sa.key", "-pubout", "-out", "sa.pub");
}

async function issue(
  folder: string,
  certificate: CertificateOptions,
  tools: { serial: number; openssl: (...args: string[]) => Promise<string> },
): Promise<void> {
  const { name, commonName, organization, alternativeNames = [] } = certificate;
  const subject = `${organization === undefined ? "" : `/O=${organization}`}/CN=${commonName}`;
  const extensions = ["extendedKeyUsage=serverAuth,clientAuth"];
  if (alternativeNames.length > 0) extensions.push(`subjectAltName=${alternativeNames.join(",")}`);
  writeFileSync(join(folder, `${name}.ext`), `${extensions.join("\n")}\n`);
  await tools.openssl("req", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", subject);
  const signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", String(tools.serial), "-extfile", `${name}.ext`];
  await tools.openssl("x509", "-req", "-in", `${name}.csr`, ...lifetime, ...signing, "-out", `${name}.crt`);
}

function certificates(layout: NodeLayout): CertificateOptions[] {
  const apiNames = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"].map(
    (each) => `DNS:${each}`,
  );
  const apiAddresses = ["127.0.0.1", layout.address, layout.kubernetesService].map((each) => `IP:${each}`);
  return [
    { name: "apiserver", commonName: "kube-apiserver", alternativeNames: [...apiNames, ...apiAddresses] },
    { name: "apiserver-kubelet", commonName: "apiserver-kubelet", organization: "system:masters" },
    { name: "admin", commonName: "admin", organization: "system:masters" },
    { name: "kcm", commonName: "system:kube-controller-manager" },
    { name: "scheduler", commonName: "system:kube-scheduler" },
    { name: "proxy", commonName: "system:kube-proxy" },
    {
      name: "kubelet",
      commonName: `system:node:${layout.name}`,
      organization: "system:nodes",
      alternativeNames: [`DNS:${layout.name}`, "IP:127.0.0.1", `IP:${layout.address}`],
    },
  ];
}
