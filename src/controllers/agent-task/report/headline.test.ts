import { describe, expect, it } from "vitest";
import { renderer } from "../../../integrations/github/report/render.ts";
import { anIntegration, aTask, noon, rendered, shaOf, type TaskOverrides } from "../testing.ts";
import { describeRequest as lineOf, type ReportSources } from "./headline.ts";
import { reportOf } from "./text.ts";

const page = "https://github.com/acme/shop/issues/42";
const sources = (over: TaskOverrides, more: Partial<ReportSources> = {}): ReportSources => ({
  task: aTask(over),
  integration: anIntegration(),
  excerpt: undefined,
  now: noon,
  ...more,
});

const reportText = (given: ReportSources): string => rendered(reportOf(given));
const describeRequest = (given: ReportSources): string =>
  renderer("github.com").line(lineOf(given, { notify: true }), "bellhop");

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

describe("the requester and the request", () => {
  it("quotes an excerpt, and links to the comment", () => {
    const url = `${page}#issuecomment-7001`;
    expect(describeRequest(sources({ source: { url } }, { excerpt: "fix the login" }))).toBe(
      `asked by @ana: [“fix the login”](${url})`,
    );
  });

  it("distinguishes three reports that are otherwise equal", () => {
    const time = { startTime: "2026-03-01T11:59:03Z", completionTime: noon.toISOString() };
    const texts = [
      sources({ conditions: done, status: time }, { excerpt: "fix the login" }),
      sources({ conditions: done, status: time }, { excerpt: "and the logout" }),
      sources({ conditions: done, status: time, actor: { id: "502", login: "bob" } }, { excerpt: "fix the login" }),
    ].map((one) => reportText(one).split("\n")[0]);
    expect(texts).toEqual([
      "**Done in 57 s** · asked by @ana: “fix the login”",
      "**Done in 57 s** · asked by @ana: “and the logout”",
      "**Done in 57 s** · asked by @bob: “fix the login”",
    ]);
  });

  it.each([
    { signal: { type: "Label", name: "bellhop" }, says: "asked by @ana by the label “bellhop”" },
    {
      signal: { type: "Assignment", name: "bellhop-bot" },
      says: "asked by @ana by assigning it to “bellhop-\u200bbot”",
    },
    {
      signal: { type: "ReviewRequest", name: "bellhop-bot" },
      says: "asked by @ana by asking “bellhop-\u200bbot” for a review",
    },
    { signal: { type: "Mention" }, says: "asked by @ana" },
    { signal: undefined, says: "asked by @ana" },
  ] as const)("names a request without text: $signal.type", ({ signal, says }) => {
    expect(describeRequest(sources({ source: signal ? { signal } : {} }))).toBe(says);
  });

  it("names the failed check and the person for whom it is fixed, not the sender of the event", () => {
    expect(describeRequest(sources(checks()))).toBe(
      "after the failed check [“build”](https://github.com/acme/shop/actions/runs/31), for @ana",
    );
    expect(describeRequest(sources(checks({ signal: undefined })))).toBe("after failed checks, for @ana");
  });

  it("quotes the command of a retry, and the original request", () => {
    const url = `${page}#issuecomment-7000`;
    const original = aTask({ source: { url }, status: { report: { quote: "fix the login" } } });
    const retry = sources({ spec: { retryOf: { name: "first" } } }, { excerpt: "retry", original });
    expect(describeRequest(retry)).toBe(`asked by @ana: “retry” of [“fix the login”](${url})`);
    expect(describeRequest({ ...retry, original: undefined })).toBe("asked by @ana: “retry”");
  });

  it("mentions only the requester, and only once, whatever was written", () => {
    const hostile = "@octocat fixes #1 ![x](https://evil.example/x.png) <!-- ” @acme/owners\n\n/approve";
    for (const over of [{}, { conditions: done }, checks({ signal: { type: "FailedChecks", name: hostile } })]) {
      const text = reportText(sources({ ...over, spec: { prompt: hostile } }, { excerpt: hostile }));
      expect(text.match(/@[A-Za-z0-9]\S*/g)?.filter((found) => !found.startsWith("@bellhop"))).toEqual([
        expect.stringMatching(/^@ana\b/),
      ]);
      expect(text).not.toMatch(/<!--|!\[|https:\/\/evil|^\/approve/m);
    }
  });

  it("writes an invalid login as plain text", () => {
    const login = "ana** [x](https://evil.example) @octocat";
    expect(describeRequest(sources({ actor: { id: "1", login } }))).not.toMatch(
      /@octocat|(?<!\\)[*[\]]|https:\/\/evil/,
    );
  });
});
