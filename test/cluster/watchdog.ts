import { type ChildProcess, spawn } from "node:child_process";

/**
 * Reads "+ <pgid>", "- <pgid>", "m <variable>" and "d <folder>" lines; when its input ends it kills every group that
 * was not taken back and every process with such a variable, round after round until there is none, and removes the
 * folders.
 * The kernel closes the pipe however the parent ends, `kill -9` included: so no handler of ours has to run.
 */
const script = `
groups=" "
marks=""
set --
while read -r sign group; do
  case $sign in
    d) set -- "$@" "$group" ;;
    m) marks="$marks$group
" ;;
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
round=0
while [ -n "$marks" ] && [ $round -lt 20 ]; do
  found=$(printf %s "$marks" | grep -lsF -f - /proc/[0-9]*/environ)
  [ -n "$found" ] || break
  for file in $found; do
    pid=\${file#/proc/}
    kill -s KILL "\${pid%/environ}" 2>/dev/null
  done
  round=$((round + 1))
done
if [ $# -gt 0 ]; then rm -rf -- "$@" || { sleep 1; rm -rf -- "$@"; }; fi
`;

let watchdog: ChildProcess | undefined;

/**
 * Makes sure that the process group `pgid` (a child spawned with `detached: true`) does not outlive this process,
 * however that ends. The returned function takes it back; call it as soon as the group is gone, since ids are reused.
 */
export function guardGroup(pgid: number): () => void {
  const pipe = startedWatchdog();
  pipe.write(`+ ${pgid}\n`);
  let guarded = true;
  return () => {
    if (!guarded) return;
    guarded = false;
    pipe.write(`- ${pgid}\n`);
  };
}

/**
 * Makes sure that no process whose environment holds `variable` (`NAME=value`, or its beginning) outlives this one, also one that left its
 * process group.
 */
export function guardMark(variable: string): void {
  startedWatchdog().write(`m ${variable}\n`);
}

/** Makes sure that a temporary folder does not outlive this process, however that ends. */
export function guardFolder(folder: string): void {
  startedWatchdog().write(`d ${folder}\n`);
}

function startedWatchdog(): NonNullable<ChildProcess["stdin"]> {
  // In a session of its own, so that Ctrl-C in a terminal does not end it before its parent.
  watchdog ??= spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  const { stdin } = watchdog;
  if (!stdin) throw new Error("the watchdog has no input: /bin/sh could not be started");
  watchdog.unref();
  if ("unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  return stdin;
}

/** Sends `signal` to a whole process group; false when it is gone already. */
export function signalGroup(pgid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pgid, signal);
    return true;
  } catch {
    return false;
  }
}
