import { BlockList, isIP } from "node:net";

/**
 * Ranges that are not public on the internet: loopback, link-local, private, shared, documentation, benchmarking, multicast, reserved.
 * Source: IANA IPv4 Special-Purpose Address Registry.
 */
const privateV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];

/** Only `2000::/3` is global unicast. `privateV6` lists its ranges for documentation and for tunnels that hide an IPv4 address. */
const publicV6 = "2000::/3";
const privateV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/** Returns why an address must not be called, or undefined if it may be called. */
export type AddressPolicy = (address: string) => string | undefined;

/** Creates a policy that allows only public addresses outside the given ranges (the cluster's own, in CIDR notation). */
export function addressPolicy(refusedRanges: readonly string[] = []): AddressPolicy {
  const special = blockList([...privateV4, ...privateV6]);
  const global = blockList([publicV6]);
  const own = blockList(refusedRanges);
  return (address) => {
    const family = isIP(address.split("%")[0] ?? "");
    if (family === 0) return "is not an IP address";
    const bare = address.split("%")[0] ?? "";
    const type = family === 4 ? "ipv4" : "ipv6";
    if (own.check(bare, type)) return "belongs to an address range that this installation refuses";
    if (special.check(bare, type)) return "is private, loopback, link-local or reserved";
    if (family === 6 && !global.check(bare, "ipv6")) return "is private, loopback, link-local or reserved";
    return undefined;
  };
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = "", prefix = ""] = range.split("/");
    const version = isIP(network);
    if (version === 0 || !/^\d{1,3}$/.test(prefix)) {
      throw new RangeError(`"${range}" is not a network range: write it as 10.0.0.0/8 or fd00::/8`);
    }
    // `addSubnet` itself throws a RangeError if the prefix is too long.
    list.addSubnet(network, Number(prefix), version === 4 ? "ipv4" : "ipv6");
  }
  return list;
}
