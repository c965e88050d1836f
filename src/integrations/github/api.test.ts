import { Octokit } from "@octokit/core";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../shared/fake-clock.ts";
import { apiOf, octokitOptions } from "./api.ts";
import { createPauses } from "../pace.ts";
import { apiSettings } from "./testing.ts";

describe("a call to GitHub", () => {
  it("ends at once when it is aborted while the pace still delays it", async () => {
    let sent = 0;
    const fetch = async () => {
      sent += 1;
      return new Response("{}", { status: 201, headers: { "content-type": "application/json" } });
    };
    const clock = new FakeClock();
    const settings = apiSettings({ fetch, clock });
    const api = apiOf(new Octokit(octokitOptions(settings)), settings, "token");
    const write = (signal: AbortSignal) =>
      api.request("label", "POST /repos/{owner}/{repo}/labels", { owner: "a", repo: "b", name: "c" }, signal);
    const abort = new AbortController();
    await write(abort.signal);
    const held = write(abort.signal).catch((error: unknown) => error);
    abort.abort(new Error("stopping"));
    const later = new Promise((resolve) => setImmediate(resolve, "still waits"));
    expect(await Promise.race([held, later])).toMatchObject({ message: "stopping" });
    expect(sent).toBe(1); // the earlier request
  });

  it("is sent when its turn comes: no other limiter holds back comments or sends several at once", async () => {
    const clock = new FakeClock();
    const sentAtMs: number[] = [];
    const fetch = async () => {
      sentAtMs.push(clock.monotonicMs());
      return new Response("{}", { status: 201, headers: { "content-type": "application/json" } });
    };
    const settings = apiSettings({ fetch, clock });
    const api = apiOf(new Octokit(octokitOptions(settings)), settings, "token");
    const at = { owner: "a", repo: "b", issue_number: 1, body: "hello" };
    const comment = (): Promise<unknown> =>
      api.request(
        "comment",
        "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
        at,
        AbortSignal.timeout(60_000),
      );
    const comments = [1, 2, 3, 4].map(comment);
    for (let second = 0; second < 4; second++) await clock.advance(1_000);
    await Promise.all(comments);
    expect(sentAtMs).toEqual([0, 1_000, 2_000, 3_000]);
  });

  it("is not sent if a pause began while it waited for its turn", async () => {
    let sent = 0;
    const fetch = async () => {
      sent += 1;
      return new Response("{}", { status: 201, headers: { "content-type": "application/json" } });
    };
    const clock = new FakeClock();
    const pauses = createPauses(clock);
    const turn = Promise.withResolvers<void>();
    const pace = { turn: () => turn.promise, ask: () => 0 };
    const kept = apiSettings({ fetch, clock, pace, pauses });
    const api = apiOf(new Octokit(octokitOptions(kept)), kept, "token");
    const parameters = { owner: "a", repo: "b", name: "c" };
    const waiting = api.request("label", "POST /repos/{owner}/{repo}/labels", parameters, AbortSignal.timeout(5_000));
    pauses.asked("token", 60_000);
    turn.resolve();
    await expect(waiting).rejects.toMatchObject({ code: "RateLimited", retryAfterMs: 60_000 });
    expect(sent).toBe(0);
  });
});
