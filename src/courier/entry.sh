#!/bin/sh
# First process of the agent's container: runs the agent, ends whatever it left running, and waits until the courier has what it needs.
# Plain POSIX shell with cat, mkfifo and sleep, since it runs in images of all kinds (dash and busybox are tested).
# Everything in $BELLHOP_OUT is read with suspicion by the courier: an agent that forges these files fools only itself.
set -u
umask 002

# In blocks of 512 bytes, as POSIX has it for `ulimit -f`: 10 MiB.
output_blocks=20480
release_limit=900
asked=''
trap 'asked=yes' TERM

: "${GIT_CONFIG_GLOBAL:=$BELLHOP_IN/gitconfig}"
: "${BELLHOP_PROMPT_FILE:=$BELLHOP_IN/prompt.md}" "${BELLHOP_CONTEXT_FILE:=$BELLHOP_IN/context.md}"
ca=$BELLHOP_IN/ca.crt
: "${SSL_CERT_FILE:=$ca}" "${NODE_EXTRA_CA_CERTS:=$ca}" "${REQUESTS_CA_BUNDLE:=$ca}" "${CURL_CA_BUNDLE:=$ca}" "${GIT_SSL_CAINFO:=$ca}"
: "${PIP_CERT:=$ca}" "${CARGO_HTTP_CAINFO:=$ca}"
export GIT_CONFIG_GLOBAL BELLHOP_PROMPT_FILE BELLHOP_CONTEXT_FILE
export SSL_CERT_FILE NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO PIP_CERT CARGO_HTTP_CAINFO

# Every process of the agent carries this in its environment. It is how they are found where this script is not process 1.
mark="$$-$(date +%s)-$BELLHOP_OUT"

pause() { sleep 0.1 2>/dev/null || sleep 1; }

# Ends every other process of this container. Only process 1 of a namespace may say "everyone": anywhere else that is the whole machine.
kill_others() {
  if [ $$ -eq 1 ] && [ "${BELLHOP_ISOLATION:-pod}" != process ]; then
    kill -KILL -1 2>/dev/null
  else
    for found in $(marked); do kill -KILL "$found" 2>/dev/null; done
  fi
}

others_left() {
  if [ $$ -eq 1 ] && [ "${BELLHOP_ISOLATION:-pod}" != process ]; then
    for status in /proc/[0-9]*/status; do
      [ "$status" = /proc/1/status ] && continue
      alive "$status" && return 0
    done
    return 1
  fi
  [ -n "$(marked)" ]
}

# `status` escapes line ends in a process's name, so that no name can pass for a state.
alive() {
  state=''
  { while read -r key value; do [ "$key" = State: ] && state=$value && break; done <"$1"; } 2>/dev/null
  case $state in '' | Z* | X*) return 1 ;; esac
}

marked() {
  for environ in $(grep -lszF "BELLHOP_RUN=$mark" /proc/[0-9]*/environ 2>/dev/null); do
    pid=${environ#/proc/}
    pid=${pid%/environ}
    case $pid in '' | *[!0-9]* | 1 | "$$") ;; *) echo "$pid" ;; esac
  done
}

# Gives up after 8 s, whatever a look around costs here: the courier waits for 10 s. Tries bound it where the clock is set back.
end_everything() {
  begun=$(date +%s)
  tries=0
  kill_others
  while others_left; do
    [ $(($(date +%s) - begun)) -lt 8 ] && [ $tries -lt 80 ] || return 1
    tries=$((tries + 1))
    pause
    kill_others
  done
  return 0
}

# Says something to the courier, making room where the agent has filled the volume.
say() {
  # A link that the agent left is not followed.
  rm -f -- "$BELLHOP_OUT/$1" 2>/dev/null
  { printf '%s\n' "$2" >"$BELLHOP_OUT/$1"; } 2>/dev/null && return
  for file in "$BELLHOP_OUT"/* "$BELLHOP_OUT"/.[!.]*; do
    case $file in "$BELLHOP_OUT/events.jsonl" | "$BELLHOP_OUT/exit") ;; *) rm -rf -- "$file" 2>/dev/null ;; esac
  done
  { printf '%s\n' "$2" >"$BELLHOP_OUT/$1"; } 2>/dev/null && return
  : >"$BELLHOP_OUT/events.jsonl"
  printf '%s\n' "$2" >"$BELLHOP_OUT/$1"
}

# The courier is another user of the same group.
open_to_courier() {
  command -v find >/dev/null 2>&1 || return 0
  find "$BELLHOP_WORKSPACE" -type d ! -perm -0550 -exec chmod u+rx,g+rx {} \; 2>/dev/null
  find "$BELLHOP_WORKSPACE" -type f ! -perm -0440 -exec chmod u+r,g+r {} + 2>/dev/null
  find "$BELLHOP_OUT" -type f ! -perm -0440 -exec chmod u+r,g+r {} + 2>/dev/null
  return 0
}

cd "$BELLHOP_WORKSPACE" || exit 1

# Keeps the first 10 MiB of what the agent prints and swallows the rest, so that it never blocks. Not with `head -c`, which holds small
# output back: an agent that prints a line now and then would look silent, and the end of its output would be lost when it is stopped.
pipe=${TMPDIR:-/tmp}/bellhop-output-$$
rm -f "$pipe"
mkfifo -m 600 "$pipe" || exit 1
(
  trap '' XFSZ
  ulimit -f "$output_blocks" 2>/dev/null
  cat >"$BELLHOP_OUT/output.log" 2>/dev/null
  cat >/dev/null
) <"$pipe" &
drain=$!
exec 3>"$pipe"
rm -f "$pipe"

stdin=$BELLHOP_PROMPT_FILE
[ -r "$stdin" ] || stdin=/dev/null
(
  BELLHOP_RUN=$mark
  export BELLHOP_RUN
  exec "$@"
) <"$stdin" >&3 2>&1 3>&- &
agent=$!
exec 3>&-

self=$$
(
  while [ ! -e "$BELLHOP_IN/stop" ]; do sleep 1; done
  kill -TERM "$self"
) >/dev/null 2>&1 </dev/null &
watcher=$!

[ -n "$asked" ] || wait "$agent"
code=$?
how=ended
if [ -n "$asked" ]; then
  how=terminated
  code=143
  [ -e "$BELLHOP_IN/stop" ] && how=stopped
else
  # The end of its output may still be on its way.
  tries=0
  while kill -0 "$drain" 2>/dev/null && [ $tries -lt 10 ]; do
    tries=$((tries + 1))
    pause
  done
fi

kill "$watcher" 2>/dev/null
# From here the courier gives us 10 s, then a while to open the tree. The code is said again once nobody is left who might have changed it.
say exit "$code"
if end_everything; then
  say stopped opening
  open_to_courier
  say exit "$code"
  say stopped "$how"
fi

# The kubelet ends the courier as soon as this container is gone.
waited=0
while [ ! -e "$BELLHOP_IN/release" ] && [ $waited -lt $release_limit ]; do
  sleep 1
  waited=$((waited + 1))
done
exit "$code"
