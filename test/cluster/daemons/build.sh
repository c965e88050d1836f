#!/bin/bash
# Prints the folder that holds etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet and kube-proxy,
# building them from the pinned Go modules beside this script when they are not in the cache: about 7 minutes on
# two cores the first time, nothing at all afterwards. The folder is the only line on standard output.
# Safe to run twice at once: the second waits for the first. The cache is named by the hash of the sources.
set -euo pipefail
VERSION=1.36.3
DAEMONS="etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy"
here=$(cd -- "$(dirname -- "$0")" && pwd)
say() { echo "daemons: $*" >&2; }

for tool in sha256sum flock; do
  command -v "$tool" > /dev/null || { say "'$tool' is missing: install coreutils and util-linux (this needs Linux)."; exit 1; }
done
hash=$(cat "$here/go.mod" "$here/go.sum" "$here/main.go" | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bellhop
folder=$cache/kubernetes-$hash
built() { [ -x "$folder/hyperkube" ] && [ -e "$folder/kube-proxy" ]; }
if built; then echo "$folder"; exit 0; fi

if ! command -v go > /dev/null; then
  say "Go is missing. The cluster tests build Kubernetes $VERSION once from pinned modules: install Go 1.26 or newer," \
    "or point KUBEBUILDER_ASSETS at a folder with etcd and kube-apiserver."
  exit 1
fi
mkdir -p "$cache"

exec 9> "$folder.lock"
SECONDS=0
until flock -w 15 9; do say "another build is running, waiting (${SECONDS} s)"; done
if built; then echo "$folder"; exit 0; fi

rm -rf "$folder".building-*
temporary=$(mktemp -d "$folder.building-XXXXXX")
building=
cleanup() {
  if [ -n "$building" ]; then kill "$building" 2> /dev/null || true; fi
  rm -rf "$temporary"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

flags="-s -w"
for pair in "gitVersion=v$VERSION" gitMajor=1 "gitMinor=$(echo "$VERSION" | cut -d. -f2)"; do
  flags="$flags -X k8s.io/component-base/version.$pair -X k8s.io/client-go/pkg/version.$pair"
done
SECONDS=0
say "building Kubernetes $VERSION and etcd once, into $folder (about 7 minutes on two cores)"
(cd "$here" && CGO_ENABLED=0 exec go build -ldflags "$flags" -o "$temporary/hyperkube" .) > "$temporary/build.log" 2>&1 &
building=$!
last=0
while kill -0 "$building" 2> /dev/null; do
  sleep 1
  if [ $((SECONDS - last)) -ge 15 ]; then last=$SECONDS; say "still building (${SECONDS} s)"; fi
done
if ! wait "$building"; then
  building=
  say "the build failed after ${SECONDS} s:"
  tail -n 20 "$temporary/build.log" >&2
  exit 1
fi
building=
rm -f "$temporary/build.log"
for daemon in $DAEMONS; do ln -s hyperkube "$temporary/$daemon"; done
chmod 755 "$temporary"
rm -rf "$folder"
mv -T "$temporary" "$folder"
say "built in ${SECONDS} s"
echo "$folder"
