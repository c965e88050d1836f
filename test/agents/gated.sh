#!/bin/sh
# An agent that works until there is a file, the first argument: for tests that need a task to be at work. Says its process id first.
set -eu
echo "pid $$"
waited=0
while [ ! -e "$1" ]; do
  sleep 0.2
  waited=$((waited + 1))
  # A test that forgot about it should not be outlived for long.
  [ "$waited" -lt 600 ] || exit 7
done
date +%s%N >>gated.txt
printf '%s\n' '{"type":"result","summary":"Waited for leave, and wrote the time to gated.txt."}' >>"$BELLHOP_OUT/events.jsonl"
