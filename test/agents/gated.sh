#!/bin/sh
# An agent that works until the file in its first argument exists, for tests that need a running task. It prints its process id first.
set -eu
echo "pid $$"
waited=0
while [ ! -e "$1" ]; do
  sleep 0.2
  waited=$((waited + 1))
  # It must not run long after a test that forgot it.
  [ "$waited" -lt 3000 ] || exit 7
done
date +%s%N >>gated.txt
printf '%s\n' '{"type":"result","summary":"Waited for leave, and wrote the time to gated.txt."}' >>"$BELLHOP_OUT/events.jsonl"
