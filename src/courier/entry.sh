#!/bin/sh
# First process of the agent's container: runs the agent, ends every process that the agent left, and waits until the courier has finished.
# Needs only a POSIX shell, cat, mkfifo and sleep, because it runs in any image (tested with dash and busybox).
# The courier does not trust the files in $BELLHOP_OUT: an agent that forges them harms only its own task.
set -u
umask 002

# 10 MiB, in blocks of 512 bytes, the unit of `ulimit -f` in POSIX.
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

# Every process of the agent has this in its environment. If this script is not process 1, it finds them by it.
mark="$$-$(date +%s)-$BELLHOP_OUT"

pause() { sleep 0.1 2>/dev/null || sleep 1; }

# Ends every other process of this container. Only process 1 of a PID namespace may signal all processes (-1): elsewhere that is the whole machine.
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

# The kernel escapes line ends in the process name, so a name cannot imitate the State line.
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

# Stops after 8 s, because the courier waits for 10 s. The number of tries is limited too, in case the clock is set back.
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

# Writes a file for the courier. If the agent has filled the volume, removes its files first.
report() {
  # Removed first, so that a link of the agent is not followed.
  rm -f -- "$BELLHOP_OUT/$1" 2>/dev/null
  { printf '%s\n' "$2" >"$BELLHOP_OUT/$1"; } 2>/dev/null && return
  for file in "$BELLHOP_OUT"/* "$BELLHOP_OUT"/.[!.]*; do
    case $file in "$BELLHOP_OUT/events.jsonl" | "$BELLHOP_OUT/exit") ;; *) rm -rf -- "$file" 2>/dev/null ;; esac
  done
  { printf '%s\n' "$2" >"$BELLHOP_OUT/$1"; } 2>/dev/null && return
  : >"$BELLHOP_OUT/events.jsonl"
  printf '%s\n' "$2" >"$BELLHOP_OUT/$1"
}

# Makes the files readable for the courier, which is another user of the same group.
open_to_courier() {
  command -v find >/dev/null 2>&1 || return 0
  find "$BELLHOP_WORKSPACE" -type d ! -perm -0550 -exec chmod u+rx,g+rx {} \; 2>/dev/null
  find "$BELLHOP_WORKSPACE" -type f ! -perm -0440 -exec chmod u+r,g+r {} + 2>/dev/null
  find "$BELLHOP_OUT" -type f ! -perm -0440 -exec chmod u+r,g+r {} + 2>/dev/null
  return 0
}

cd "$BELLHOP_WORKSPACE" || exit 1

# Stores the first 10 MiB of the agent's output and discards the rest, so that the agent never blocks. `head -c` would not do, because it
# buffers small output: an agent that prints a line now and then would look silent, and a stop would lose the end of its output.
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
  # The end of its output may still be in the pipe.
  tries=0
  while kill -0 "$drain" 2>/dev/null && [ $tries -lt 10 ]; do
    tries=$((tries + 1))
    pause
  done
fi

kill "$watcher" 2>/dev/null
# From here the courier waits 10 s, and longer while the tree is made readable. The code is written again after the last process has ended,
# because a process could have changed it.
report exit "$code"
if end_everything; then
  report stopped opening
  open_to_courier
  report exit "$code"
  report stopped "$how"
fi

# The kubelet ends the courier as soon as this container exits.
waited=0
while [ ! -e "$BELLHOP_IN/release" ] && [ $waited -lt $release_limit ]; do
  sleep 1
  waited=$((waited + 1))
done
exit "$code"
