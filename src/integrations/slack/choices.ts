import type { HttpReply, OfferedRepository } from "../ingress.ts";
import { inertLine } from "./report/inert.ts";
import { plainText, type Option } from "./report/rich-text.ts";

/** Source: Slack, "Select menu of external data source" and "Option object". */
const maxOptions = 100;
const [maxOptionText, maxOptionValue] = [75, 150];

/** The answer with no choices. Slack shows "no results" for it, and an error for any other body. */
export const noChoices: HttpReply = replyWith([]);

/**
 * The choices of the menu of repositories in a channel: those whose names may be shown there and contain the typed text, in any case. The best
 * matches come first; without a text, those that are mapped to the channel. The same index and text give the same answer.
 */
export function choicesFor(offered: readonly OfferedRepository[], channel: string, typed: string): HttpReply {
  const wanted = typed.trim().toLowerCase();
  const found = offered
    .filter(({ name, places }) => name.length <= maxOptionValue && (places?.includes(channel) ?? true))
    .flatMap(({ name, places }): Match[] => {
      const rank = rankOf(name.toLowerCase(), wanted);
      return rank === undefined ? [] : [{ name, rank, isMapped: places !== undefined }];
    });
  return replyWith(found.toSorted(bestFirst).slice(0, maxOptions));
}

interface Match {
  name: string;
  rank: number;
  isMapped: boolean;
}

/** How well a name matches, 0 is best; undefined if it does not contain the text. */
function rankOf(fullName: string, wanted: string): number | undefined {
  if (wanted === "") return 0;
  if (!fullName.includes(wanted)) return undefined;
  const name = fullName.slice(fullName.indexOf("/") + 1);
  if (name === wanted || fullName === wanted) return 0;
  if (name.startsWith(wanted)) return 1;
  if (fullName.startsWith(wanted)) return 2;
  return ["-", "_", "."].some((mark) => name.includes(mark + wanted)) ? 3 : 4;
}

function bestFirst(a: Match, b: Match): number {
  return a.rank - b.rank || Number(b.isMapped) - Number(a.isMapped) || (a.name < b.name ? -1 : 1);
}

function replyWith(matches: readonly Match[]): HttpReply {
  const options = matches.map(({ name }): Option => ({ text: plainText(inertLine(name), maxOptionText), value: name }));
  return {
    status: 200,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify({ options }),
  };
}
