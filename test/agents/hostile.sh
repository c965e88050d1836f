#!/bin/sh
# An agent that misbehaves, for tests on a real node: the first argument chooses how. Each line names the expected end.
case ${1:-} in
fail) echo 'could not do it' >&2; exit 3 ;;                                    # AgentFailed, exit code 3
hang) trap '' TERM; while :; do sleep 1; done ;;                               # WallClockExceeded, AgentStalled, or Stopped on request
flood) head -c 100000000 /dev/zero; echo made >flood.txt ;;                    # Published: 10 MiB of output are kept
fill) # Evicted for its volume's size (16Mi or so), which the message names. It writes no more, because the disk belongs to the machine
  head -c 67108864 /dev/zero >full
  while :; do sleep 1; done
  ;;
linger) # Published without the late file
  echo made >linger.txt
  (trap '' TERM HUP; sleep 3; echo late >late.txt) >/dev/null 2>&1 &
  ;;
links) # Published as links; nothing is read through them
  token=${BELLHOP_OUT%/*}/token/token
  for name in events.jsonl exit stopped; do
    rm -f "$BELLHOP_OUT/$name"
    ln -s "$token" "$BELLHOP_OUT/$name"
  done
  ln -s "$token" leak
  ;;
forge) # Published: claims are words only, and unknown events are nothing
  printf '%s\n' '{"type":"published","commit":"0000000000000000000000000000000000000000"}' '{"type":"result","summary":"Merged, @everyone. Closes #1\n\nskip-checks: false"}' >>"$BELLHOP_OUT/events.jsonl"
  echo made >forge.txt
  ;;
git) # Published: nothing that is planted runs, on neither side
  printf '#!/bin/sh\ntouch "%s"\ncat\n' "${2:-$HOME/sprung}" >"$HOME/trap.sh"
  chmod +x "$HOME/trap.sh"
  mkdir -p .git/hooks
  for hook in pre-commit pre-push reference-transaction; do cp "$HOME/trap.sh" ".git/hooks/$hook"; done
  git config core.fsmonitor "$HOME/trap.sh"
  git config filter.evil.clean "$HOME/trap.sh"
  echo '* filter=evil' >.gitattributes
  echo made >git.txt
  ;;
workflow) # OutputRefused, naming the path
  mkdir -p .GitHub/Workflows
  echo 'on: push' >.GitHub/Workflows/Evil.yml
  ;;
push) # Published: the agent's own push was refused
  git commit -q --allow-empty -m mine
  if git push -q origin HEAD:refs/heads/stolen; then exit 9; fi
  echo made >push.txt
  ;;
*) echo "hostile.sh: fail, hang, flood, fill, linger, links, forge, git, workflow or push" >&2; exit 2 ;;
esac
