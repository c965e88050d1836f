#!/bin/bash
# Prints the folder that holds etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet and kube-proxy,
# building them from the pinned Go modules beside this script when they are not in the cache: about 11 minutes on
# two cores the first time, nothing at all afterwards. The folder is the only line on standard output; on standard
# error, lines of progress begin with `progress: `. With `--cached` it builds nothing, and fails where it would have to.
# Safe to run twice at once: the second waits for the first. The cache is named by the hash of the sources.
set -euo pipefail
VERSION=1.36.3
DAEMONS="etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy"
here=$(cd -- "$(dirname -- "$0")" && pwd)
say() { echo "daemons: $*" >&2; }
progress() { echo "progress: $*" >&2; }

for tool in sha256sum flock; do
  command -v "$tool" > /dev/null || { say "'$tool' is missing: install coreutils and util-linux (this needs Linux)."; exit 1; }
done
hash=$(cat "$here/go.mod" "$here/go.sum" "$here/main.go" | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bellhop
folder=$cache/kubernetes-$hash
built() { [ -x "$folder/hyperkube" ] && [ -e "$folder/kube-proxy" ]; }
if built; then echo "$folder"; exit 0; fi
if [ "${1:-}" = --cached ]; then exit 3; fi

if ! command -v go > /dev/null; then
  say "Go is missing, and Kubernetes $VERSION is built once from pinned modules: install Go 1.26 or newer (go.dev/dl)," \
    "or have the daemons on the PATH, or point KUBEBUILDER_ASSETS at a folder with them ($DAEMONS; the first two are enough for 'make test')."
  exit 1
fi
mkdir -p "$cache"

# How many packages the build in this folder has compiled, of how many. Those that Go has in its own cache are not among them.
compiled() {
  local of
  of=$(cat "$1/total" 2> /dev/null) || { echo "downloading modules"; return; }
  echo "$(grep -cv '^go: ' "$1/build.log" 2> /dev/null || true) of at most $of packages compiled"
}
usual="about 11 min on two cores the first time"

exec 9> "$folder.lock"
until flock -w 5 9; do
  other=$(echo "$folder".building-*)
  progress "another process builds them, $(compiled "${other%% *}"); $usual"
done
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
# `go list` downloads the modules; `-v` has Go print the name of each package that it compiles.
build() {
  cd "$here"
  export CGO_ENABLED=0
  local packages
  packages=$(go list -deps .)
  wc -l <<< "$packages" > "$temporary/counting"
  mv "$temporary/counting" "$temporary/total"
  exec go build -v -ldflags "$flags" -o "$temporary/hyperkube" .
}
build > "$temporary/build.log" 2>&1 &
building=$!
while kill -0 "$building" 2> /dev/null; do
  progress "$(compiled "$temporary"); $usual"
  sleep 2
done
if ! wait "$building"; then
  building=
  say "the build failed after ${SECONDS} s:"
  tail -n 20 "$temporary/build.log" >&2
  exit 1
fi
building=
rm -f "$temporary/build.log" "$temporary/total"
for daemon in $DAEMONS; do ln -s hyperkube "$temporary/$daemon"; done
chmod 755 "$temporary"
rm -rf "$folder"
mv -T "$temporary" "$folder"
echo "$folder"
