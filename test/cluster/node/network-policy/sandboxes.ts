import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The pods' networks on this node, as the CNI plugin reports them by files in a folder. */
export interface Sandboxes {
  /** Reads new requests; returns true if there were any. */
  read(): boolean;
  /** Addresses by pod uid. */
  addresses(): ReadonlyMap<string, string>;
  /** Answers the requests that were known when `addresses` was last called, because their rules are now in place. */
  answer(): void;
}

interface Request {
  uid: string;
  address: string;
  /** The result of the previous plugins, which our plugin returns unchanged. */
  result: string;
}

/** Reads `<container>.add` and `.del` in the folder, and writes `.answer`. See the plugin in `../containerd.ts`. */
export function readSandboxes(folder: string): Sandboxes {
  const known = new Map<string, Request>();
  let taken: string[] = [];
  const unanswered = new Set<string>();
  return {
    read() {
      const names = readdirSync(folder).filter((name) => /\.(add|del)$/.test(name));
      for (const name of names) {
        const container = name.slice(0, -4);
        if (name.endsWith(".add")) {
          known.set(container, parse(readFileSync(join(folder, name), "utf8")));
          unanswered.add(container);
        } else {
          known.delete(container);
          unanswered.delete(container);
        }
        rmSync(join(folder, name));
      }
      return names.length > 0;
    },
    addresses() {
      taken = [...unanswered];
      return new Map([...known.values()].map((each) => [each.uid, each.address]));
    },
    answer() {
      for (const container of taken) {
        const request = known.get(container);
        if (request) writeWhole(join(folder, `${container}.answer`), request.result);
        unanswered.delete(container);
      }
      taken = [];
    },
  };
}

function parse(text: string): Request {
  const cut = text.indexOf("\n");
  const uid = /(?:^|;)K8S_POD_UID=([^;\n]+)/.exec(text.slice(0, cut))?.[1];
  const { prevResult } = JSON.parse(text.slice(cut + 1)) as { prevResult?: { ips?: { address: string }[] } };
  const address = prevResult?.ips?.[0]?.address.split("/")[0];
  if (uid === undefined || address === undefined) throw new Error(`a CNI request without a pod uid or an address`);
  return { uid, address, result: JSON.stringify(prevResult) };
}

function writeWhole(path: string, text: string): void {
  if (existsSync(path)) rmSync(path);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
