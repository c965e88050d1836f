#!/bin/sh
# The demo's agent: reads the request, changes the repository, and reports its progress. Contract: docs/custom-agent.md.
set -eu

say() { printf '%s\n' "$1" >>"$BELLHOP_OUT/events.jsonl"; }
step() {
  say '{"type":"progress","text":"'"$1"'","checklist":[{"text":"read the request","done":'"$2"'},{"text":"write the note","done":'"$3"'},{"text":"check it","done":'"$4"'}]}'
}

step 'reading the request' false false false
lines=$(wc -l <"$BELLHOP_PROMPT_FILE")
sleep "${DEMO_STEP_SECONDS:-1}"

step 'writing the note' true false false
{
  printf '# Request to Bellhop\n\n'
  sed 's/^/    /' "$BELLHOP_PROMPT_FILE"
} >bellhop-note.md
sleep "${DEMO_STEP_SECONDS:-1}"

step 'checking it' true true false
grep -q 'Request to Bellhop' bellhop-note.md
git status --short

step 'done' true true true
say '{"type":"result","summary":"Added bellhop-note.md with the request ('"$((lines))"' lines). It says that it ran: git status."}'
