import type { Command } from "../api/agent-task.ts";
import { withoutInvisible, withoutInvisibleEntities } from "../shared/markdown/invisible.ts";
import { defined } from "../shared/defined.ts";

/** A command in the text after a mention. A text without a command is a request for work. */
export interface ParsedCommand {
  command: Command;
  argument?: string;
}

/** No command is longer, with all that people write around it. */
const maxLine = 256;
/** A text with a command word that has at most this many words, and is no command, is answered with a question. */
const maxUnclearWords = 3;

const bare = /^(stop|retry|status|continue|help)$/;
const approve = /^approve(?: ([0-9a-f]{7,64}))?$/;
/** The answer to the question for a repository, `use acme/shop`. A name alone is no command: it may be a path, as in "src/login.ts". */
const use = /^use[ \t]+`?([\w.-]{1,100}\/[\w.-]{1,100})`?[.!]?$/i;

/** Other words after `stop` ask for work. The names of tasks end with 26 characters of base 32. */
const stopWhich = /^stop ([1-9]\d?|all|[a-z0-9][a-z0-9.-]{0,62}-[a-z0-9]{26})$/;

const commandWords = new Set(["stop", "retry", "status", "continue", "help", "approve", "use"]);

/** Words around a command that do not change it. None of them says no: "don't stop" is not `stop`. */
const fillers = new Set(
  (
    "please pls plz kindly thanks thank thx ty cheers hi hey hello dear ok okay can could would will you just " +
    "now immediately asap quickly it this that me us"
  ).split(" "),
);

/**
 * The command in the text after a mention. The whole first line must be a command, for example `stop` or `approve 1a2b3c4`; for `use` the
 * whole text. Politeness, punctuation, Markdown and invisible characters around it do not change it. A short text that has a command word and
 * is no command is `unclear`: it could be either, so nothing starts. Undefined for other text, which is a request for work: "stop using tabs in
 * the generated files" asks for work, and so does a text with a command below its first line.
 */
export function parseCommand(text: string): ParsedCommand | undefined {
  const whole = text.trim();
  const [line = ""] = whole.split(/\r\n|\n|\r/, 1);
  if (line.length > maxLine) return undefined;
  const words = wordsOf(line);
  return useOf(whole) ?? commandOf(words) ?? unclear(words, whole);
}

/**
 * The command in a slash command. Its `stop` may say which request it is for: its number in the list that was shown last, the name of its task,
 * or `all`.
 */
export function parseSlashCommand(text: string): ParsedCommand | undefined {
  const [line = ""] = text.trim().split(/\r\n|\n|\r/, 1);
  const argument = line.length > maxLine ? undefined : stopWhich.exec(wordsOf(line).join(" "))?.[1];
  return argument === undefined ? parseCommand(text) : { command: "stop", argument };
}

function commandOf(words: readonly string[]): ParsedCommand | undefined {
  const line = [...new Set(words)].join(" ");
  const simple = bare.exec(line)?.[1];
  if (simple !== undefined) return { command: simple as ParsedCommand["command"] };
  const approval = approve.exec(line);
  return approval ? { command: "approve", ...defined({ argument: approval[1] }) } : undefined;
}

/** `use` alone is the wish to choose a repository. A repository's name may end in a punctuation mark, so the text is tried as it is first. */
function useOf(text: string): ParsedCommand | undefined {
  if (text.length > maxLine) return undefined;
  const tolerant = /\s/.test(text.trim()) && !/[\r\n]/.test(text) ? wordsOf(text, { keepCase: true }).join(" ") : "";
  const repository = use.exec(text)?.[1] ?? use.exec(tolerant)?.[1];
  if (repository !== undefined) return { command: "use", argument: repository };
  return wordsOf(text).join(" ") === "use" ? { command: "use" } : undefined;
}

function unclear(firstLine: readonly string[], whole: string): ParsedCommand | undefined {
  if (whole.length > maxLine || !firstLine.some((word) => commandWords.has(word))) return undefined;
  return wordsOf(whole).length <= maxUnclearWords ? { command: "unclear" } : undefined;
}

/** The words of a text as a reader sees them, without markup, punctuation around them, and words that do not change a command. */
function wordsOf(text: string, { keepCase = false } = {}): string[] {
  return withoutInvisible(withoutInvisibleEntities(text.replaceAll("&nbsp;", " ")))
    .normalize("NFKC")
    .replaceAll(/<!--.*?-->/gs, " ")
    .replaceAll(/\[([^\][\n]{1,100})\]\([^()\n]{1,200}\)/g, "$1")
    .split(/[\s,;…]+/)
    .map(wordOf)
    .map((word) => (keepCase ? word : word.toLowerCase()))
    .filter((word) => word !== "" && !fillers.has(word.toLowerCase()));
}

/** A word without the punctuation around it. Empty for an emoji; for the address of a commit its id. */
function wordOf(word: string): string {
  if (/^:[\w+-]{1,40}:$/.test(word)) return "";
  const plain = word.replace(/^[^\p{L}\p{N}]+/u, "").replace(/[^\p{L}\p{N}]+$/u, "");
  return /^https?:\/\/\S{1,200}\/commits?\/([0-9a-f]{7,64})$/i.exec(plain)?.[1] ?? plain;
}
