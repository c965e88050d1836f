import { randomBytes } from "node:crypto";
import { SlackFailure } from "./failure.ts";
import type { Params } from "./params.ts";

type Json = Record<string, unknown>;

/** Slack's limits for Block Kit. Lengths are in characters. */
const most = {
  blocks: 50,
  section: 3_000,
  field: 2_000,
  fields: 10,
  header: 150,
  context: 10,
  actions: 25,
  options: 100,
};
/** Beyond about this many characters of text in all blocks, Slack answers `msg_blocks_too_long`. Measured by others, not documented. */
const maxCharsOfAllBlocks = 13_000;

const blockTypes = new Set(
  "actions context divider file header image input markdown rich_text section video table context_actions task_card plan".split(
    " ",
  ),
);

/** Returns the faults of a block or an element. `at` is its JSON pointer. */
type Check = (item: Json, at: string) => string[];

const blockChecks: Record<string, Check> = {
  section: (block, at) => [
    ...(block["text"] === undefined && block["fields"] === undefined ? [`missing required field: text [${at}]`] : []),
    ...textFaults(block["text"], `${at}/text`, most.section),
    ...listFaults(block["fields"], `${at}/fields`, most.fields, (field, place) => textFaults(field, place, most.field)),
    ...elementFaults(block["accessory"], `${at}/accessory`),
  ],
  header: (block, at) => textFaults(block["text"], `${at}/text`, most.header, ["plain_text"]),
  context: (block, at) =>
    listFaults(block["elements"], `${at}/elements`, most.context, (item, place) =>
      item["type"] === "image" ? [] : textFaults(item, place, most.section),
    ),
  actions: (block, at) => listFaults(block["elements"], `${at}/elements`, most.actions, elementFaults),
  markdown: (block, at) => lengthFaults(block["text"], `${at}/text`, 12_000),
  input: (block, at) => [
    ...textFaults(block["label"], `${at}/label`, 2_000, ["plain_text"]),
    ...elementFaults(block["element"], `${at}/element`),
  ],
};

/**
 * The blocks of the arguments, with the ids that Slack adds. Undefined if the argument is absent, null if the list is empty.
 * Answers `invalid_blocks` if a limit is exceeded.
 */
export function blocksOf(params: Params): Json[] | null | undefined {
  const given = params.json("blocks");
  if (given === undefined) return undefined;
  if (!Array.isArray(given)) throw new SlackFailure("invalid_blocks_format");
  if (given.length === 0) return null;
  const faults = blockFaults(given as Json[]);
  if (faults.length > 0) {
    const messages = faults.map((fault) => `[ERROR] ${fault.replace(/\[(\/[^\]]*)\]$/, "[json-pointer:$1]")}`);
    throw new SlackFailure("invalid_blocks", { errors: faults, response_metadata: { messages } });
  }
  if (charsOf(given) > maxCharsOfAllBlocks) throw new SlackFailure("msg_blocks_too_long");
  return (given as Json[]).map(withIds);
}

/** Returns the faults of a list of blocks. */
export function blockFaults(blocks: Json[]): string[] {
  const ids = blocks.map((block) => block["block_id"]).filter((id) => typeof id === "string");
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  return [
    ...(blocks.length > most.blocks ? [`no more than ${most.blocks} items allowed [/blocks]`] : []),
    ...(twice === undefined ? [] : [`block_id ${twice} already exists [/blocks]`]),
    ...blocks.flatMap((block, at) => oneBlock(block, `/blocks/${at}`)),
  ];
}

function oneBlock(block: Json, at: string): string[] {
  const type = String(block?.["type"]);
  if (!blockTypes.has(type)) return [`unsupported type: ${type} [${at}/type]`];
  return [...lengthFaults(block["block_id"], `${at}/block_id`, 255), ...(blockChecks[type]?.(block, at) ?? [])];
}

function elementFaults(given: unknown, at: string): string[] {
  if (given === undefined) return [];
  const element = given as Json;
  const faults = [...lengthFaults(element["action_id"], `${at}/action_id`, 255)];
  if (element["type"] === "button")
    faults.push(
      ...textFaults(element["text"], `${at}/text`, 75, ["plain_text"]),
      ...lengthFaults(element["value"], `${at}/value`, 2_000),
      ...lengthFaults(element["url"], `${at}/url`, 3_000),
      ...(["primary", "danger", undefined].includes(element["style"] as string) ? [] : [`invalid style [${at}/style]`]),
    );
  if (element["type"] === "external_select") faults.push(...externalFaults(element, at));
  if (element["placeholder"] !== undefined)
    faults.push(...textFaults(element["placeholder"], `${at}/placeholder`, 150, ["plain_text"]));
  if (element["options"] !== undefined) faults.push(...optionFaults(element["options"], `${at}/options`));
  return faults;
}

/** The choices of an external select come from the app. Source: Slack, "Select menu of external data source". */
function externalFaults(element: Json, at: string): string[] {
  const least = element["min_query_length"];
  const known = new Set("type action_id placeholder min_query_length initial_option confirm focus_on_load".split(" "));
  return [
    ...Object.keys(element).flatMap((name) =>
      known.has(name) ? [] : [`invalid additional property: ${name} [${at}]`],
    ),
    ...(least === undefined || (Number.isInteger(least) && Number(least) >= 0)
      ? []
      : [`must be an integer [${at}/min_query_length]`]),
  ];
}

/** Returns the faults of the options of a select, or of an answer to `block_suggestion`. */
export function optionFaults(options: unknown, at: string): string[] {
  return listFaults(options, at, most.options, (option, place) => [
    ...textFaults(option["text"], `${place}/text`, 75),
    ...lengthFaults(option["value"], `${place}/value`, 150),
    ...(typeof option["value"] === "string" ? [] : [`missing required field: value [${place}]`]),
  ]);
}

function textFaults(given: unknown, at: string, maxChars: number, types = ["plain_text", "mrkdwn"]): string[] {
  if (given === undefined) return [];
  const { type, text } = given as Json;
  if (!types.includes(String(type))) return [`must be ${types.join(" or ")} [${at}/type]`];
  if (typeof text !== "string" || text === "") return [`must be more than 0 characters [${at}/text]`];
  return lengthFaults(text, `${at}/text`, maxChars);
}

function lengthFaults(value: unknown, at: string, maxChars: number): string[] {
  return typeof value === "string" && value.length > maxChars
    ? [`must be less than ${maxChars + 1} characters [${at}]`]
    : [];
}

function listFaults(given: unknown, at: string, maxItems: number, check: Check): string[] {
  if (given === undefined) return [];
  if (!Array.isArray(given) || given.length === 0) return [`no fewer than 1 items allowed [${at}]`];
  const tooMany = given.length > maxItems ? [`no more than ${maxItems} items allowed [${at}]`] : [];
  return [...tooMany, ...given.flatMap((item, index) => check(item as Json, `${at}/${index}`))];
}

function charsOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + charsOf(item), 0);
  if (typeof value !== "object" || value === null) return 0;
  return Object.entries(value as Json).reduce(
    (sum, [key, item]) => sum + (key === "text" && typeof item === "string" ? item.length : charsOf(item)),
    0,
  );
}

function withIds(block: Json): Json {
  const elements = block["elements"];
  const named = block["type"] === "actions" && Array.isArray(elements) ? { elements: elements.map(withActionId) } : {};
  return { ...(withDefaults(block) as Json), block_id: block["block_id"] ?? randomId(), ...named };
}

/** Slack adds `emoji` and `verbatim` to the texts in blocks. */
function withDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withDefaults);
  if (typeof value !== "object" || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withDefaults(item)]));
  if (copy["type"] === "plain_text") return { emoji: true, ...copy };
  return copy["type"] === "mrkdwn" ? { verbatim: false, ...copy } : copy;
}

function withActionId(element: Json): Json {
  return { ...(withDefaults(element) as Json), action_id: element["action_id"] ?? randomId() };
}

function randomId(): string {
  return randomBytes(3).toString("base64url");
}
