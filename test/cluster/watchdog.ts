import { type ChildProcess, spawn } from "node:child_process";

/**
 * The program of the watchdog. It reads the lines "+ <pgid>", "- <pgid>", "m <variable>" and "d <folder>". When its input ends, it kills
 * every group that was not removed with "-", and every process with such a variable, and repeats this until none is left; then it removes
 * the folders. The kernel closes the pipe however the parent ends, also after `kill -9`, so no handler in the parent has to run.
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
 * Makes sure that the process group `pgid` (a child spawned with `detached: true`) ends when this process ends, for whatever reason. Call
 * the returned function as soon as the group has ended, because process ids are reused.
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
 * Makes sure that every process whose environment contains `variable` (`NAME=value`, or its beginning) ends when this process ends, also if
 * it left its process group.
 */
export function guardMark(variable: string): void {
  startedWatchdog().write(`m ${variable}\n`);
}

/** Makes sure that a temporary folder is removed when this process ends, for whatever reason. */
export function guardFolder(folder: string): void {
  startedWatchdog().write(`d ${folder}\n`);
}

function startedWatchdog(): NonNullable<ChildProcess["stdin"]> {
  // In a separate session, so that Ctrl-C in a terminal does not end it before its parent.
  watchdog ??= spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  const { stdin } = watchdog;
  if (!stdin) throw new Error("the watchdog has no input: /bin/sh could not be started");
  watchdog.unref();
  if ("unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  return stdin;
}

/** Sends `signal` to a whole process group; returns false if the group has already ended. */
export function signalGroup(pgid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pgid, signal);
    return true;
  } catch {
    return false;
  }
}
