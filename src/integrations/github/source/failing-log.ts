import type { TaskSource } from "../../../api/agent-task.ts";
import type { RepositoryRef } from "../../code-host.ts";
import type { ContextItem } from "../../connection.ts";
import { isProviderFailure } from "../../errors.ts";
import type { Api } from "../api.ts";
import { pages } from "../limits.ts";
import { withoutInvisible } from "../../../shared/markdown/invisible.ts";
import { utf8Prefix, utf8Suffix } from "../../../shared/utf8.ts";

const maxJobs = 3;
const maxLogBytes = 64 * 1024 * 1024;
const failures = new Set(["failure", "timed_out", "startup_failure"]);
const ansi = /\u001b\[[0-9;:?]{0,32}[A-Za-z]/g;

/** A failed job of a workflow, or a failed check of another App. */
interface Failed {
  name: string;
  at: string;
  /** The job whose log can be read, if there is one. */
  jobId?: number;
  /** The check's own output. */
  output?: string;
}

/** For tasks that failed checks triggered: the ends of the logs of the failed jobs. They are untrusted, because the code under test writes them. */
export async function readFailingLogs(
  api: Api,
  source: TaskSource,
  repository: RepositoryRef,
  { budgetBytes, signal }: { budgetBytes: number; signal: AbortSignal },
): Promise<ContextItem[]> {
  const failed = (await findFailed(api, source, repository, signal)).slice(0, maxJobs);
  const each = Math.floor(budgetBytes / Math.max(1, failed.length));
  const items: ContextItem[] = [];
  for (const { name, at, jobId, output } of failed) {
    const log = jobId === undefined ? "" : await readLog(api, repository, { jobId, maxBytes: each, signal });
    const text = withoutInvisible((log || (output ?? "")).replace(ansi, ""));
    if (text)
      items.push({
        author: withoutInvisible(name),
        trusted: false,
        createdAt: at,
        kind: "log",
        text: utf8Prefix(text, each),
      });
  }
  return items;
}

function findFailed(api: Api, source: TaskSource, repository: RepositoryRef, signal: AbortSignal): Promise<Failed[]> {
  const { object } = source;
  if (object?.type === "WorkflowRun") return failedJobs(api, repository, Number(object.id), signal);
  if (object?.type === "CheckSuite") return failedChecks(api, repository, Number(object.id), signal);
  return Promise.resolve([]);
}

async function failedJobs(
  api: Api,
  { owner, name }: RepositoryRef,
  runId: number,
  signal: AbortSignal,
): Promise<Failed[]> {
  const { data } = await api.request(
    `read the jobs of a workflow run in ${owner}/${name}`,
    "GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs",
    { owner, repo: name, run_id: runId, filter: "latest", per_page: pages.size },
    signal,
  );
  return data.jobs
    .filter(({ conclusion }) => failures.has(conclusion ?? ""))
    .map((job) => ({ name: job.name, at: job.completed_at ?? job.started_at, jobId: Number(job.id) }));
}

async function failedChecks(
  api: Api,
  { owner, name }: RepositoryRef,
  suiteId: number,
  signal: AbortSignal,
): Promise<Failed[]> {
  const { data } = await api.request(
    `read the checks of a suite in ${owner}/${name}`,
    "GET /repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs",
    { owner, repo: name, check_suite_id: suiteId, filter: "latest", per_page: pages.size },
    signal,
  );
  return data.check_runs
    .filter(({ conclusion }) => failures.has(conclusion ?? ""))
    .map(({ id, name: check, app, completed_at, started_at, output }) => ({
      name: check,
      at: completed_at ?? started_at ?? "",
      // A check run of GitHub Actions has the id of its job.
      ...(app?.slug === "github-actions" ? { jobId: Number(id) } : {}),
      output: [output.title, output.summary, output.text].filter(Boolean).join("\n\n"),
    }));
}

/** Reads the last bytes of a job's log; empty if GitHub no longer keeps the log. */
async function readLog(
  api: Api,
  { owner, name }: RepositoryRef,
  { jobId, maxBytes, signal }: { jobId: number; maxBytes: number; signal: AbortSignal },
): Promise<string> {
  try {
    const stream = await api.stream(
      `read a job's log in ${owner}/${name}`,
      "GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs",
      { owner, repo: name, job_id: jobId },
      signal,
    );
    return await tail(stream, maxBytes);
  } catch (error) {
    if (isProviderFailure(error, "NotFound")) return "";
    throw error;
  }
}

/** Reads the stream to its end or to `maxLogBytes`, and keeps the last `maxBytes`. */
async function tail(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  let kept = Buffer.alloc(0);
  let read = 0;
  for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) {
    read += chunk.length;
    kept = Buffer.concat([kept, chunk]);
    if (kept.length > 2 * maxBytes) kept = kept.subarray(kept.length - maxBytes - 4);
    if (read > maxLogBytes) break;
  }
  return utf8Suffix(kept, maxBytes);
}
