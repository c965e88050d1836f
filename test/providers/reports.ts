import type { Block, Report } from "../../src/integrations/report.ts";

/** A report of these blocks in a task that ana requested; a string is a line of our own text. */
export function aReport(...blocks: readonly (Block | string)[]): Report {
  return {
    blocks: blocks.map((block) => (typeof block === "string" ? { line: [block] } : block)),
    task: "shop-abc",
    over: false,
    actions: [],
    requester: { id: "501", login: "ana" },
    bot: { id: "99", mention: "bellhop" },
  };
}
