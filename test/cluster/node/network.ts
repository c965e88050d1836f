import type { Namespaces } from "./namespaces.ts";
import type { NodeLayout } from "./options.ts";
import { run } from "./run.ts";

/**
 * Gives the node its address and a default route on a pair of interfaces inside the namespace, so that no packet leaves it. IPv6 is off,
 * because no policy would be enforced for it.
 */
export async function createNetwork(layout: NodeLayout, namespaces: Namespaces): Promise<void> {
  const script = `set -eu
ip link add bh0 type veth peer name bh1
ip link set bh0 up
ip addr add "$1/24" dev bh1
ip link set bh1 up
ip route replace default dev bh1
for setting in all default; do
  echo 1 > /proc/sys/net/ipv6/conf/$setting/disable_ipv6
  echo 1 > /proc/sys/net/ipv4/conf/$setting/rp_filter
done
echo 1 > /proc/sys/net/ipv4/ip_forward
`;
  await run([...namespaces.enterAll, "sh", "-c", script, "network", layout.address]);
}
