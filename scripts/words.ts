import type { Exception, Rule } from "./find-words.ts";

/**
 * Words that nothing in the tree may use, with their replacements. Source: the project's glossary and its rules for plain English.
 * Add a rule only if most of its findings are right: people ignore a check that is often wrong.
 */
export const rules: readonly Rule[] = [
  {
    name: "ring",
    words: ["ring", "rings", "rang", "ringing"],
    fine: /[kK]ey ?[rR]ings?(?![a-z])/,
    write: '"match" or "trigger" (verb), "signal" or "event" (noun)',
    why: "a trigger matches an event and creates a task",
  },
  {
    name: "bell",
    words: ["bell", "bells"],
    write: '"event", "delivery" or "trigger"',
    why: "a provider sends a delivery, which is one event",
  },
  {
    name: "desk",
    words: ["desk", "desks"],
    write: '"thread", "integration", "provider" or "tracker"',
    why: "people talk in a thread; an integration is the resource",
  },
  {
    name: "house",
    words: ["house", "houses"],
    write: '"provider"',
    why: "a code host, a tracker or a chat",
  },
  {
    name: "story",
    words: ["story", "stories"],
    write: '"report", "thread" or, in tests, "scenario"',
    why: "the report is the one message that Bellhop keeps up to date",
  },
  {
    name: "told",
    words: ["told", "untold"],
    fine: /\btold apart\b/,
    write: '"posted", "recorded", "reported" or "asked"',
    why: "reports are posted, Events are recorded",
  },
  {
    name: "tell",
    words: ["tell", "tells", "telling"],
    fine: /\b[tT]ell(?:s|ing)?(?! of\b)(?: [\w'-]+){0,8} (?:apart|from)\b|\b(?:can|could|cannot|not) tell\b/,
    write: '"report", "post", "record" or "say"',
    why: "reports are posted, Events are recorded",
  },
  {
    name: "words",
    text: /\b(?:first|last|held|closing|inOur|Report|Event)Words(?![a-z])|\b(?:first|last) words?\b|\bin words\b|\bour words\b|\breport\/words\b/,
    write: '"text", "message", "excerpt", "output" or "keyword"',
    why: "name the text it is",
  },
  {
    name: "hand",
    words: ["hand", "hands", "handed", "handing"],
    fine: /(?<!\bin )\b[hH]and(?:s|ed|ing)?(?: \S+){0,3}[ -](?:over|out)\b|\bhand(?:Over|edOver|Out)|\bhand-written\b|\bchang\w+ hands\b|\bthe other hand\b/,
    write: '"registry", "manually", "pass" or "give"',
    why: "secrets are in a registry, people act manually",
  },
  {
    name: "door",
    words: ["door", "doors"],
    write: '"broker", "gateway" or "endpoint"',
    why: "the parts have names",
  },
  {
    name: "mend",
    words: ["mend", "mends", "mended", "mending"],
    write: '"fix"',
    why: "the usual word",
  },
  {
    name: "anew",
    words: ["anew"],
    write: '"again"',
    why: "retry, recreate",
  },
  {
    name: "in vain",
    text: /\bin vain\b/i,
    write: '"without success"',
    why: 'better: what failed, such as "timed out waiting for …"',
  },
  {
    name: "own accord",
    text: /\bof (?:its|our|their|his|her|one's) own accord\b/i,
    write: '"without being asked"',
    why: "better: who starts it",
  },
  {
    name: "for people",
    text: /\bfor people\b(?! (?:to|with|who)\b)/i,
    write: '"human-readable"',
    why: 'or who reads it: "for the administrator"',
  },
  {
    name: "waits for a person",
    text: /\bwait(?:s|ed|ing)? for a person\b/i,
    write: '"needs manual action"',
    why: "the usual words",
  },
  {
    name: "leave to",
    text: /\b(?:the )?leave to (?:publish|push)\b/i,
    write: '"permission to"',
    why: "the usual word",
  },
  {
    name: "lets us in",
    text: /\blets? us in\b/i,
    write: '"access revoked"',
    why: "say what happened",
  },
  {
    name: "of former times",
    text: /\bof former times\b/i,
    write: '"stale" or "earlier"',
    why: "the usual words",
  },
  {
    name: "Whoever",
    text: /\bWhoever\b/,
    write: '"Anyone who …" or "Only … may …"',
    why: "subject first",
  },
  {
    name: "What …",
    text: /(?<![\w.`$-])(?<!##+ )(?<!\| )What(?= [A-Za-z`])(?![^.!\n]{0,200}\?)/,
    write: 'the noun, such as "Dependencies of …"',
    why: "subject first",
  },
  {
    name: "Where …,",
    text: /(?<![\w.`$-])(?<!##+ )(?<!\| )Where(?= [A-Za-z`'])(?=[^.?!:;,\n]{0,200}, (?!(?:and|or|but|for|if|as|with|without|by|outside|plain|https?|TLS)\b))/,
    write: '"If …" or "When …"',
    why: "Where is a place",
  },
];

/** Findings that stay. An exception without a finding is an error, so this list only shrinks. */
export const exceptions: readonly Exception[] = [
  { path: "scripts/words.ts", text: /[^]+/, reason: "the rules name the words" },
  { path: "test/unit/find-words.test.ts", text: /[^]+/, reason: "the finder's tests have the words in their examples" },
  {
    path: "README.md",
    text: /A bell rings, a bellhop comes[^.]*\./,
    reason: "the one sentence that explains the name",
  },
  {
    path: "{src,test}/**/*.ts",
    text: /\btoldAt\b/,
    reason: "status.report.toldAt is stored in AgentTasks: stored formats do not change",
  },
  {
    path: "{src,test}/**/*.ts",
    text: /"(?:Told|MoreToTell)"/,
    reason: "reasons of the condition Reported are stored in AgentTasks, and people may wait for them",
  },
  { path: "docs/operations.md", text: /`Told`/, reason: "names the reason" },
  {
    path: "src/integrations/github/mention.test.ts",
    text: /@(?:Acme-)?Bell(?:Hop)?\b|acme-bell\b/i,
    reason: "mentions of an App's slug, in the spellings that a mention may have",
  },
  {
    path: "test/**/*.ts",
    text: /-bell\b/,
    reason: "slugs of Apps: people name theirs after the product",
  },
];
