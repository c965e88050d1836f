import type { AgentTask } from "../../src/api/kinds.ts";
import { reportOf } from "../../src/controllers/agent-task/report/text.ts";
import { aTask, noon, shaOf, type TaskOverrides } from "../../src/controllers/agent-task/testing.ts";
import type { Block, Report, Span } from "../../src/integrations/report.ts";
import type { Integration } from "../../src/integrations/integration.ts";
import { aReport } from "./reports.ts";

/** A place of a report in which untrusted text is shown. */
export interface Place {
  name: string;
  /** The place is in the first line, which the message that concludes a report repeats. */
  isHeadline: boolean;
  report(text: string, given: { integration: Integration; excerpt: (request: string) => string }): Report;
}

/** Every key of every member of a union. */
type KeyOf<Union> = Union extends unknown ? keyof Union : never;
type Spans = Record<KeyOf<Exclude<Span, string>>, (text: string) => Span>;
type Blocks = Record<KeyOf<Block>, (text: string) => Block>;

/** Each kind of span, as long as the API accepts it: a new kind without an entry is a type error. Commands and strong text are our own. */
const spans: Omit<Spans, "strong" | "command"> = {
  code: (text) => ({ code: text.slice(0, 255) }),
  untrusted: (text) => ({ untrusted: text }),
  inItem: (text) => ({ untrusted: text, inItem: true }),
  quote: (text) => ({ quote: text }),
  url: (text) => ({ quote: "the request", url: text.slice(0, 2_048) }),
  person: (text) => ({ person: { id: text.slice(0, 64), login: text.slice(0, 253) }, notify: false }),
  notify: (text) => ({ person: { id: "1", login: text.slice(0, 253) }, notify: true }),
  change: (text) => ({ change: { number: 1, url: text.slice(0, 2_048), draft: true } }),
};
const item = (text: string): readonly Span[] => [{ untrusted: text, inItem: true }];
/** The same for each kind of block. */
const blocks: Omit<Blocks, "maxBytes"> = {
  line: (text) => ({ line: ["Said: ", { untrusted: text }, ", and this."] }),
  checklist: (text) => ({ checklist: [{ done: true, line: item(text) }] }),
  list: (text) => ({ list: [item(text), item(text)] }),
  numbered: (text) => ({ numbered: true, list: [item(text)] }),
  summary: (text) => ({ summary: text, maxBytes: 12_288 }),
};

/** A task whose fields hold the text, as far as its schema accepts it. */
type TaskOf = (text: (maxLength: number) => string) => TaskOverrides;
const ended = { startTime: noon.toISOString(), completionTime: noon.toISOString() };
const running = ["Authorized", "Admitted", "ContextReady", "SandboxReady"] as const;
const checkoutOf = (ref: string): NonNullable<AgentTask["status"]>["checkout"] => ({
  baseRef: ref,
  headRef: ref,
  headSHA: shaOf("a"),
  newBranch: true,
});

/** A task in each state that shows other fields than the rest, with the text in each field that people, models or providers fill. */
const tasks: Readonly<Record<string, TaskOf>> = {
  "running work": (text) => ({
    actor: { id: text(64), login: text(253) },
    source: { url: text(2_048) },
    status: {
      checkout: checkoutOf(text(255)),
      progress: {
        updatedAt: noon.toISOString(),
        step: text(512),
        checklist: [
          { text: text(256), done: true },
          { text: text(256), done: false },
        ],
      },
    },
    conditions: [...running, { type: "Published", status: "False", reason: "Waiting", message: text(32_768) }],
  }),
  "work that is done": (text) => ({
    status: {
      ...ended,
      phase: "Succeeded",
      result: {
        summary: text(16_384),
        branch: text(255),
        commit: shaOf("b"),
        changeNumber: 1,
        changeURL: text(2_048),
        heldUnsaid: true,
        proposed: {
          attempt: 1,
          ref: "r",
          newId: shaOf("b"),
          files: 1,
          patchKiB: 1,
          skipped: Array(12).fill(text(512)),
        },
      },
    },
    conditions: ["Authorized", { type: "Succeeded", reason: "Published" }],
  }),
  "work that failed": (text) => ({
    status: { ...ended, phase: "Failed", result: { summary: text(16_384) } },
    conditions: ["Authorized", { type: "Succeeded", status: "False", reason: "AgentFailed", message: text(32_768) }],
  }),
  "a request that is refused": (text) => ({
    source: { text: "", signal: { type: "Label", name: text(256) } },
    status: { phase: "Refused" },
    conditions: [{ type: "Authorized", status: "False", reason: "NotAuthorized", message: text(32_768) }],
  }),
  "a request that waits for a limit": (text) => ({
    source: { text: "", event: "check_suite", signal: { type: "FailedChecks", name: text(256) }, url: text(2_048) },
    status: { phase: "Queued", queue: { position: 1, limit: text(253), since: noon.toISOString() } },
    conditions: ["Authorized", { type: "Admitted", status: "False", reason: "Waiting", message: text(32_768) }],
  }),
  "the answer to a command": (text) => ({
    spec: { command: "status" },
    status: { ...ended, phase: "Succeeded" },
    conditions: [{ type: "Succeeded", reason: "Status", message: text(32_768) }],
  }),
  "a question": (text) => ({
    status: {
      phase: "WaitingForInput",
      question: { text: text(512), choices: [text(256), `acme/${text(200)}`], askedAt: noon.toISOString() },
    },
    conditions: [
      "Authorized",
      { type: "RepositoryResolved", status: "False", reason: "WaitingForAnswer", message: text(32_768) },
    ],
  }),
};

/** Every place of every report. */
export const places: readonly [Place, ...Place[]] = [
  {
    name: "lines with every kind of span",
    isHeadline: true,
    report: (text) =>
      aReport(...Object.values(spans).map((span): Block => ({ line: ["Said: ", span(text), " here."] }))),
  },
  {
    name: "every kind of block",
    isHeadline: false,
    report: (text) => aReport("before", ...Object.values(blocks).flatMap((block) => [block(text), "between"])),
  },
  ...Object.entries(tasks).map(([name, taskOf]): Place => ({
    name,
    isHeadline: false,
    report: (text, { integration, excerpt }) =>
      reportOf({
        task: aTask(taskOf((most) => text.slice(0, most))),
        integration,
        excerpt: name === "running work" ? excerpt(text) : undefined,
        now: noon,
      }),
  })),
  {
    name: "the request that a retry repeats",
    isHeadline: true,
    report: (text, { integration, excerpt }) =>
      reportOf({
        task: aTask({ actor: { id: text.slice(0, 64), login: text.slice(0, 253) }, conditions: [...running] }),
        integration,
        excerpt: "retry",
        original: aTask({ status: { report: { quote: excerpt(text) } } }),
        now: noon,
      }),
  },
];
