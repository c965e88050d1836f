/** One ref update of a push. An id of 40 zeros means "none". */
export interface RefCommand {
  old: string;
  new: string;
  ref: string;
}

/** Parses the commands of a `git-receive-pack` request: the packets before the first flush packet. */
export function parseCommands(body: Buffer): RefCommand[] {
  return pktLines(body).flatMap((line) => {
    const match = /^([0-9a-f]{40}) ([0-9a-f]{40}) ([^\0\n]+)/.exec(line);
    return match ? [{ old: match[1] ?? "", new: match[2] ?? "", ref: match[3] ?? "" }] : [];
  });
}

/** Parses a `git-upload-pack` request: the wanted ids, the filter, and the command (protocol 2). */
export function parseWants(body: Buffer): { wants: string[]; filter: string | null; command: string | null } {
  const lines = pktLines(body, { pastFlush: true });
  const after = (prefix: string): string[] =>
    lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length).trimEnd());
  return {
    wants: after("want ").map((want) => want.slice(0, 40)),
    filter: after("filter ")[0] ?? null,
    command: after("command=")[0] ?? null,
  };
}

function pktLines(body: Buffer, options: { pastFlush?: boolean } = {}): string[] {
  const lines: string[] = [];
  for (let at = 0; at + 4 <= body.length;) {
    const size = Number.parseInt(body.subarray(at, at + 4).toString("latin1"), 16);
    if (Number.isNaN(size)) break;
    if (size === 0 && !options.pastFlush) break;
    if (size >= 4) lines.push(body.subarray(at + 4, at + size).toString());
    at += Math.max(4, size);
  }
  return lines;
}
