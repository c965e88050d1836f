import { FakeClock } from "../../shared/fake-clock.ts";
import { silentLogger } from "../../shared/log.ts";
import { unexpected } from "../../shared/testing.ts";
import type { Api, ApiSettings } from "./api.ts";
import { createPace, createPauses } from "../pace.ts";
import type { GitHubClient } from "./client.ts";

/** Settings of a token at github.com, with the pace of production; a test that sends requests gives `fetch`. */
export function apiSettings(over: Partial<ApiSettings> = {}): ApiSettings {
  const { clock = new FakeClock() } = over;
  return {
    url: "https://github.com",
    host: "github.com",
    signIn: "token",
    fetch: unexpected("fetch"),
    clock,
    log: silentLogger,
    pace: createPace(clock, { everyMs: 1_000 }),
    pauses: createPauses(clock),
    ...over,
  };
}

/** Answers one request with the fields of the response that the code under test reads. */
export type Answer = (route: string, parameters: Record<string, unknown>) => unknown;

/** A sign-in whose own API gets its responses from `answer` instead of the network; it makes no other call. */
export function aGitHubClient(answer: Answer, over: Partial<GitHubClient> = {}): GitHubClient {
  // The type of a response depends on the route, so only the test knows it.
  const request: Api["request"] = async (_doing, route, parameters) =>
    (await answer(route, { ...parameters })) as never;
  return {
    settings: apiSettings(),
    self: { request, paced: () => request, graphql: unexpected("graphql"), stream: unexpected("stream") },
    forRepository: unexpected("forRepository"),
    forOwner: unexpected("forOwner"),
    forAnyone: unexpected("forAnyone"),
    mintToken: unexpected("mintToken"),
    revokeToken: unexpected("revokeToken"),
    ...over,
  };
}
