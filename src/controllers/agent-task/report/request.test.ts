import { describe, expect, it } from "vitest";
import { encoder } from "../../../integrations/github/encode.ts";
import { quoter } from "../../../integrations/github/encode/quote.ts";
import { anIntegration, aTask, noon, shaOf, type TaskOverrides } from "../testing.ts";
import { requestOf } from "./request.ts";
import { reportText, type ReportSources } from "./text.ts";

const page = "https://github.com/acme/shop/issues/42";
const words = (over: TaskOverrides, more: Partial<ReportSources> = {}): ReportSources => ({
  task: aTask(over),
  integration: anIntegration(),
  encode: encoder("github.com"),
  quote: quoter("github.com"),
  excerpt: undefined,
  now: noon,
  ...more,
});

const done: TaskOverrides["conditions"] = [
  "Authorized",
  { type: "Succeeded", reason: "NoChanges", message: "Nothing." },
];
const checks = (over: Partial<TaskOverrides["source"] & object> = {}): TaskOverrides => ({
  actor: { id: "9", login: "ci-bot[bot]" },
  source: {
    object: { type: "WorkflowRun", id: "31", headSHA: shaOf("c") },
    signal: { type: "FailedChecks", name: "build" },
    url: "https://github.com/acme/shop/actions/runs/31",
    ...over,
  },
  status: { requester: { id: "501", login: "ana" } },
});

describe("who asked, and for what", () => {
  it("quotes the first words, and leads to the comment", () => {
    const url = `${page}#issuecomment-7001`;
    expect(requestOf(words({ source: { url } }, { excerpt: "fix the login" }))).toBe(
      `asked by @ana: [“fix the login”](${url})`,
    );
  });

  it("tells three reports apart that say the same otherwise", () => {
    const time = { startTime: "2026-03-01T11:59:03Z", completionTime: noon.toISOString() };
    const texts = [
      words({ conditions: done, status: time }, { excerpt: "fix the login" }),
      words({ conditions: done, status: time }, { excerpt: "and the logout" }),
      words({ conditions: done, status: time, actor: { id: "502", login: "bob" } }, { excerpt: "fix the login" }),
    ].map((one) => reportText(one).split("\n")[0]);
    expect(texts).toEqual([
      "**Done in 57 s** · asked by @ana: “fix the login”",
      "**Done in 57 s** · asked by @ana: “and the logout”",
      "**Done in 57 s** · asked by @bob: “fix the login”",
    ]);
  });

  it.each([
    { signal: { type: "Label", name: "bellhop" }, says: "asked by @ana by the label “bellhop”" },
    { signal: { type: "Assignment", name: "bellhop-bot" }, says: "asked by @ana by assigning it to “bellhop-bot”" },
    {
      signal: { type: "ReviewRequest", name: "bellhop-bot" },
      says: "asked by @ana by asking “bellhop-bot” for a review",
    },
    { signal: { type: "Mention" }, says: "asked by @ana" },
    { signal: undefined, says: "asked by @ana" },
  ] as const)("says by what else than words: $signal.type", ({ signal, says }) => {
    expect(requestOf(words({ source: signal ? { signal } : {} }))).toBe(says);
  });

  it("names the check that failed and for whom it is fixed, rather than whoever reported it", () => {
    expect(requestOf(words(checks()))).toBe(
      "after the failed check [“build”](https://github.com/acme/shop/actions/runs/31), for @ana",
    );
    expect(requestOf(words(checks({ signal: undefined })))).toBe("after failed checks, for @ana");
  });

  it("quotes the command of a retry, and the request that is done again", () => {
    const url = `${page}#issuecomment-7000`;
    const original = aTask({ source: { url }, status: { report: { quote: "fix the login" } } });
    const retry = words({ spec: { retryOf: { name: "first" } } }, { excerpt: "retry", original });
    expect(requestOf(retry)).toBe(`asked by @ana: “retry” of [“fix the login”](${url})`);
    expect(requestOf({ ...retry, original: undefined })).toBe("asked by @ana: “retry”");
  });

  it("notifies the requester once, and nobody else, whatever was written", () => {
    const hostile = "@octocat fixes #1 ![x](https://evil.example/x.png) <!-- ” @acme/owners\n\n/approve";
    for (const over of [{}, { conditions: done }, checks({ signal: { type: "FailedChecks", name: hostile } })]) {
      const text = reportText(words({ ...over, spec: { prompt: hostile } }, { excerpt: hostile }));
      expect(text.match(/@[A-Za-z0-9]\S*/g)?.filter((found) => !found.startsWith("@bellhop"))).toEqual([
        expect.stringMatching(/^@ana\b/),
      ]);
      expect(text).not.toMatch(/<!--|!\[|https:\/\/evil|^\/approve/m);
    }
  });

  it("writes what can be no login as text", () => {
    const login = "ana** [x](https://evil.example) @octocat";
    expect(requestOf(words({ actor: { id: "1", login } }))).not.toMatch(/@octocat|(?<!\\)[*[\]]|https:\/\/evil/);
  });
});
