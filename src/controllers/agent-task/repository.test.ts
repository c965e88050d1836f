import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import { aConnection, fakeHost } from "../../integrations/testing.ts";
import type { EventRepository } from "../../integrations/event.ts";
import { thorough } from "../../../test/thorough.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { decideRepository, namesInLines, namesInLinks, repository, type RepositoryReading } from "./repository.ts";
import {
  aTask,
  aThreadTask,
  facts,
  noon,
  shop,
  stepContext,
  taskCacheOf,
  taskDeps,
  type TaskOverrides,
} from "./testing.ts";
import { withoutTexts } from "./task-index.ts";

const day = 24 * 3_600_000;
const named = (name: string, id = `id-${name}`): EventRepository => ({
  id,
  host: "github.com",
  owner: "acme",
  name,
  private: false,
});
const covered = [named("shop", "9001"), named("site"), named("docs")];
const asks = (prompt: string, over: TaskOverrides = {}): AgentTask =>
  aThreadTask({ conditions: ["Authorized"], createdAt: noon.toISOString(), ...over, spec: { prompt, ...over.spec } });
const answers = (...names: string[]): TaskOverrides => ({
  status: { requests: names.map((argument, n) => ({ type: "use", by: "bob", from: `use-${n}`, argument })) },
});
const worked = (name: string, at: EventRepository, over: TaskOverrides = {}): AgentTask =>
  aThreadTask({
    name,
    createdAt: "2026-03-01T11:00:00Z",
    conditions: ["Authorized"],
    status: { repository: { ...at, from: "Answer" } },
    ...over,
  });

interface Given {
  others?: AgentTask[];
  mapped?: string[];
  repositories?: EventRepository[];
}

/** The reading of the step for a task whose integration covers acme/shop, acme/site and acme/docs. */
async function read(task: AgentTask, { others = [], mapped = [], repositories = covered }: Given = {}) {
  const kube = createFakeClient();
  kube.seed(AgentTaskKind, task);
  const tasks = taskCacheOf([task, ...others]);
  const { host } = fakeHost({ named: repositories });
  return repository.gather(
    stepContext({
      deps: taskDeps({ kube, tasks }),
      facts: facts({ task: withoutTexts(task), tasks }),
      connection: async () => aConnection({ codeHost: host }),
      mappedRepositories: () => mapped,
    }),
  );
}

const found = (name: string, from: string) => ({ found: expect.objectContaining({ name }) as unknown, from });
const all = covered.map(({ name }) => `acme/${name}`);

describe("the repository of a request in a thread", () => {
  it.each<{ name: string; task: AgentTask; given?: Given; reads: unknown }>([
    {
      name: "is the one that the answer names, whatever the request says",
      task: asks("Repository: acme/site", answers("acme/docs")),
      reads: found("docs", "Answer"),
    },
    {
      name: "is the one of the last answer",
      task: asks("fix it", answers("acme/docs", "acme/site")),
      reads: found("site", "Answer"),
    },
    {
      name: "is the one in a line of the request, before a link, an earlier task and a mapping",
      task: asks("fix https://github.com/acme/docs\nRepo: `acme/site`\n"),
      given: { others: [worked("a", named("docs"))], mapped: ["acme/shop"] },
      reads: found("site", "Line"),
    },
    {
      name: "is the one that a link leads to, before an earlier task and a mapping",
      task: asks("fix https://github.com/acme/docs/issues/4."),
      given: { others: [worked("a", named("site"))], mapped: ["acme/shop"] },
      reads: found("docs", "Link"),
    },
    {
      name: "is that of the newest earlier task of the thread, before a mapping",
      task: asks("and the tests"),
      given: {
        others: [worked("newer", named("site"), { createdAt: "2026-03-01T11:30:00Z" }), worked("older", named("docs"))],
        mapped: ["acme/shop"],
      },
      reads: found("site", "Conversation"),
    },
    {
      name: "is the one that the integration maps to the place",
      task: asks("fix it"),
      given: { mapped: ["acme/docs"] },
      reads: found("docs", "Mapping"),
    },
    {
      name: "is the only one that the integration covers",
      task: asks("fix it"),
      given: { repositories: [named("docs")] },
      reads: found("docs", "OnlyOne"),
    },
    {
      name: "is that of the work that a retry repeats, before a line in the repeated request",
      task: asks("Repository: acme/nowhere", { spec: { retryOf: { name: "first" } } }),
      given: { others: [worked("first", named("site"))] },
      reads: found("site", "Conversation"),
    },
    { name: "is asked for if nothing names it", task: asks("fix it"), reads: { choices: all } },
    {
      name: "is asked for without the names of private repositories, which others who read the thread need not know",
      task: asks("fix it"),
      given: { repositories: [{ ...named("vault"), private: true }, named("docs")] },
      reads: { choices: ["acme/docs"] },
    },
    {
      name: "is asked for with those that the integration maps to the place, private or not",
      task: asks("fix it"),
      given: {
        mapped: ["acme/vault", "acme/safe"],
        repositories: [{ ...named("vault"), private: true }, named("docs")],
      },
      reads: { choices: ["acme/vault", "acme/safe", "acme/docs"] },
    },
    {
      name: "is the only one that the integration covers, also if that is private",
      task: asks("fix it"),
      given: { repositories: [{ ...named("vault"), private: true }] },
      reads: found("vault", "OnlyOne"),
    },
    {
      name: "is asked for if links lead to two, and two are mapped",
      task: asks("https://github.com/acme/docs and https://github.com/acme/site"),
      given: { mapped: ["acme/docs", "acme/site"] },
      reads: { choices: ["acme/docs", "acme/site", "acme/shop"] },
    },
    {
      name: "is asked for again if the answer names one that is not covered",
      task: asks("fix it", answers("acme/vault")),
      given: { repositories: [named("docs")] },
      reads: { choices: ["acme/docs"], unknown: "acme/vault" },
    },
    {
      name: "is not that of a later task: each question has its own answer",
      task: asks("fix it"),
      given: { others: [worked("later", named("site"), { createdAt: "2026-03-01T12:00:01Z" })] },
      reads: { choices: all },
    },
    {
      name: "is not that of a task that is not authorised, which names any repository",
      task: asks("fix it"),
      given: { others: [worked("a", named("site"), { conditions: [], spec: { repository: named("site") } })] },
      reads: { choices: all },
    },
    {
      name: "is not that of another thread",
      task: asks("fix it"),
      given: { others: [worked("a", named("site"), { spec: { conversation: "C1/7.7" } })] },
      reads: { choices: all },
    },
    {
      name: "is not another one that has the name of the earlier task's repository now",
      task: asks("fix it"),
      given: { others: [worked("a", named("site", "id-before"))] },
      reads: { choices: all, unknown: "acme/site" },
    },
  ])("$name", async ({ task, given = {}, reads }) => {
    expect(await read(task, given)).toEqual(reads);
  });

  it("is never looked up by a text that is no name", async () => {
    for (const name of ["acme/..", "../shop", "acme/shop/../vault", "**x** <!channel>/y", "acme"]) {
      expect(await read(asks("fix it", answers(name)))).toMatchObject({ unknown: name });
      const { host } = fakeHost({ named: covered });
      host.repositoryNamed = () => Promise.reject(new Error(`looked up ${name}`));
      const task = asks("fix it", answers(name));
      const connection = async () => aConnection({ codeHost: host });
      await repository.gather(stepContext({ facts: facts({ task }), connection }));
    }
  });

  it("is not listed again while the question waits for its answer", async () => {
    const { host } = fakeHost({ named: covered });
    host.repositoryNames = () => Promise.reject(new Error("listed again"));
    const task = asks("fix it", {
      status: {
        question: { text: "Which?", choices: ["acme/shop", "acme/site"], askedAt: noon.toISOString() },
        requests: [{ type: "use", by: "bob", from: "use", argument: "acme/vault" }],
      },
    });
    const connection = async () => aConnection({ codeHost: host });
    const reading = await repository.gather(stepContext({ facts: facts({ task }), connection }));
    expect(reading).toEqual({ choices: ["acme/shop", "acme/site"], unknown: "acme/vault" });
  });

  it("concerns authorised work without a repository only", () => {
    const concerns = (task: AgentTask): boolean => repository.concerns(facts({ task }), noon);
    expect(concerns(asks("fix it"))).toBe(true);
    expect(concerns(aThreadTask())).toBe(false);
    expect(concerns(asks("fix it", { spec: { command: "status" } }))).toBe(false);
    expect(concerns(asks("fix it", { status: { repository: shop } }))).toBe(false);
    expect(concerns(asks("fix it", { spec: { cancel: { by: "kim" } } }))).toBe(false);
    expect(concerns(aTask({ conditions: ["Authorized"] }))).toBe(false);
  });
});

describe("the decision about the repository", () => {
  const decide = (task: AgentTask, reading: RepositoryReading, afterMs = 0) =>
    decideRepository(facts({ task }), reading, new Date(noon.getTime() + afterMs));
  const asked = asks("fix it", { status: { question: { text: "Which?", askedAt: noon.toISOString() } } });

  it("records it with the origin of the choice, and ends the question", () => {
    expect(decide(asked, { found: named("shop", "9001"), from: "Answer" })).toEqual({
      conditions: [
        {
          type: "RepositoryResolved",
          status: "True",
          reason: "Answer",
          message: "Works in acme/shop (the answer in the thread names it).",
        },
      ],
      fields: { repository: { ...named("shop", "9001"), from: "Answer" }, question: undefined },
    });
  });

  it("asks, with the choices, and keeps the time of the question", () => {
    const first = decide(asks("fix it"), { choices: ["acme/shop", "acme/site"] });
    expect(first.fields?.question).toEqual({
      text: "Which repository is this about? Choose one, or name another with `use owner/name`.",
      choices: ["acme/shop", "acme/site"],
      askedAt: noon.toISOString(),
    });
    expect(first.conditions).toMatchObject([{ status: "Unknown", reason: "WaitingForAnswer" }]);
    const sent = { tries: 1, triedAt: noon.toISOString(), sentAt: noon.toISOString() };
    const before = { text: "Which?", askedAt: noon.toISOString(), asked: sent };
    const known = asks("fix it", { status: { question: before } });
    expect(decide(known, { choices: ["acme/shop"] }).fields?.question).toMatchObject({ asked: sent });
    expect(decide(asked, { choices: [] }, day)).toMatchObject({
      fields: {
        question: { askedAt: noon.toISOString(), text: expect.stringMatching(/\? Answer with `use/) as string },
      },
      requeueAfterMs: 6 * day,
    });
  });

  it("names the repository that is not covered, but no text that is no name", () => {
    const text = (unknown: string): string => decide(asked, { choices: [], unknown }).fields?.question?.text ?? "";
    expect(text("acme/vault")).toMatch(/^The integration does not cover a repository acme\/vault\. Which/);
    expect(text("**x** <!channel>/y")).toMatch(/^The integration does not cover a repository of this name\. Which/);
    expect(text(`acme/${"x".repeat(100)}`).length).toBeLessThanOrEqual(512);
  });

  it("ends the task after 7 days without an answer, but accepts an answer that was given before", () => {
    expect(decide(asked, { choices: [] }, 7 * day - 1).conditions).toMatchObject([{ status: "Unknown" }]);
    expect(decide(asked, { choices: [] }, 7 * day)).toMatchObject({
      conditions: [
        { type: "RepositoryResolved", status: "False", reason: "NoAnswer" },
        { type: "Succeeded", status: "False", reason: "NoAnswer" },
      ],
      fields: { question: undefined },
    });
    const late = decide(asked, { found: named("shop"), from: "Answer" }, 8 * day);
    expect(late.conditions).toMatchObject([{ status: "True" }]);
  });
});

describe("names of repositories in a request", () => {
  it.each([
    ["Repository: acme/shop", ["acme/shop"]],
    ["fix it\r\n> **Repo:** `acme/shop.js`  \r\nplease", ["acme/shop.js"]],
    ["- **repository**: acme/shop", ["acme/shop"]],
    ["repo: acme/a\nrepo: acme/b", ["acme/a", "acme/b"]],
    ["the repo: acme/shop", []],
    ["repo: acme/shop is broken", []],
    ["repo: acme", []],
  ])("are read from the lines of %j", (text, names) => {
    expect(namesInLines(text)).toEqual(names);
  });

  it.each([
    ["see https://github.com/acme/shop/issues/4#x and https://github.com/acme/shop.git", ["acme/shop"]],
    ["<https://github.com/acme/shop|the shop>.", ["acme/shop"]],
    ["https://github.com/acme/a https://github.com/acme/b.", ["acme/a", "acme/b"]],
    ["https://github.com.evil.example/acme/shop https://githubXcom/acme/shop http://github.com/acme/shop", []],
  ])("are read from the links of %j", (text, names) => {
    expect(namesInLinks(text, "github.com")).toEqual(names);
  });

  it("have the form of a name, in any text", () => {
    const pieces = [
      "repo:",
      "Repository: ",
      "https://github.com/",
      "acme/shop",
      "/",
      ".",
      "..",
      ".git",
      "*",
      "`",
      "> ",
      "\n",
      " ",
      "\r",
      "|",
    ];
    const piece = fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: "binary", maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (parts) => {
        const text = parts.join("");
        const names = [...namesInLines(text), ...namesInLinks(text, "github.com")];
        return names.every((name) => /^[\w.-]{1,100}\/[\w.-]{0,100}$/.test(name) && text.includes(name));
      }),
      { numRuns: thorough(100_000, 2_000), seed: 20_261_128 },
    );
  });

  it("cost time in proportion to the text, whatever is in it", () => {
    const hostile = [
      "repo:",
      "_",
      "repo: a/",
      "https://github.com/",
      "a/",
      "https://github.com/a",
      "\nrepo:\t",
      "> ",
      "-",
    ];
    for (const part of hostile) {
      const text = part.repeat(Math.ceil(2_000_000 / part.length));
      expect(namesInLines(text).length + namesInLinks(text, "github.com").length).toBeLessThan(1_000_000);
    }
  });
});
