import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startDaemon } from "./daemon.ts";
import type { Namespaces } from "./namespaces.ts";
import type { NodeLayout } from "./options.ts";
import { tryRun } from "./run.ts";

/** The pause image, which `images.ts` builds from busybox. */
export const pauseImage = "localhost/pause:1";

const pluginFolder = "/usr/lib/cni";

/** Starts containerd with its own pod network; returns when containerd answers. */
export async function startContainerd(layout: NodeLayout, namespaces: Namespaces): Promise<void> {
  const folder = join(layout.folder, "containerd");
  mkdirSync(folder, { recursive: true });
  writePodNetwork(layout);
  writeFileSync(join(folder, "config.toml"), configuration(layout));
  const argv = ["containerd", "-c", join(folder, "config.toml")];
  const containerd = startDaemon(layout, namespaces, { name: "containerd", argv });
  const version = ["ctr", "-a", layout.containerdSocket, "version"];
  await containerd.ready(async () => (await tryRun(version)).code === 0, 30_000);
}

/** `restrict_oom_score_adj`: without CAP_SYS_RESOURCE runc cannot lower the score, and its error message does not say so. */
function configuration(layout: NodeLayout): string {
  return `version = 2
root = "${layout.folder}/containerd/root"
state = "${layout.folder}/containerd/state"
[grpc]
  address = "${layout.containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "${pauseImage}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${layout.folder}/cni/bin"
    conf_dir = "${layout.folder}/cni/conf"
`;
}

/**
 * The configuration of the pod network. Every pod has a point-to-point link to the node, so that traffic between pods is routed and
 * filtered like any other. If policies are enforced, another plugin delays the start of a pod until its rules are in place.
 */
function writePodNetwork(layout: NodeLayout): void {
  const bin = join(layout.folder, "cni", "bin");
  const conf = join(layout.folder, "cni", "conf");
  for (const folder of [bin, conf, layout.policyRequests]) mkdirSync(folder, { recursive: true });
  for (const plugin of readdirSync(pluginFolder)) symlinkSync(join(pluginFolder, plugin), join(bin, plugin));
  const ipam = { type: "host-local", ranges: [[{ subnet: layout.podCIDR }]], routes: [{ dst: "0.0.0.0/0" }] };
  const plugins: object[] = [
    { type: "ptp", ipMasq: true, ipam },
    { type: "portmap", capabilities: { portMappings: true } },
  ];
  if (layout.networkPolicy === "enforced") {
    writeFileSync(join(bin, "bellhop-policy"), policyPlugin(layout.policyRequests));
    chmodSync(join(bin, "bellhop-policy"), 0o755);
    plugins.push({ type: "bellhop-policy" });
  }
  const list = { cniVersion: "1.0.0", name: `bellhop-${layout.name}`, plugins };
  writeFileSync(join(conf, "10-bellhop.conflist"), JSON.stringify(list));
}

/**
 * A CNI plugin as a shell script: it passes its input to the enforcer and waits for the answer, which is the result of the previous
 * plugins. Without an answer within 20 s the pod does not start.
 */
function policyPlugin(requests: string): string {
  return `#!/bin/sh
set -eu
file=${requests}/$CNI_CONTAINERID
case $CNI_COMMAND in
VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}' ;;
CHECK) cat > /dev/null ;;
DEL)
  cat > /dev/null
  rm -f "$file.answer"
  : > "$file.del"
  ;;
ADD)
  { printf '%s\\n' "$CNI_ARGS"; cat; } > "$file.new"
  mv "$file.new" "$file.add"
  tries=0
  until [ -e "$file.answer" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 400 ]; then
      echo '{"cniVersion":"1.0.0","code":11,"msg":"no answer from the NetworkPolicy enforcer"}'
      exit 1
    fi
    sleep 0.05
  done
  cat "$file.answer"
  ;;
esac
`;
}
