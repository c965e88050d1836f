import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { anEntry } from "../intake/testing.ts";
import { compileRule } from "../intake/cel.ts";
import { noFacts } from "../intake/gateway-facts.ts";
import { providerNamed } from "../integrations/registry.ts";
import { createFakeClient } from "../kube/testing.ts";
import { systemClock } from "../shared/clock.ts";
import { InFlight } from "../shared/in-flight.ts";
import { handleHook, type HookRequest } from "./hooks.ts";

const MiB = 1024 * 1024;
const slack = anEntry({ provider: "slack", host: "slack.com" });
const free = { requestsPerKey: 8, requests: 16, bytesPerKey: MiB, bytes: MiB };

/** A request with this body; `announced` is its Content-Length. It ends early if it has less than that. */
function aRequest(body: string, announced: number | undefined = body.length): HookRequest {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (announced !== undefined) headers["content-length"] = String(announced);
  const complete = announced === undefined || body.length >= announced;
  const get = (name: string): string | undefined => headers[name.toLowerCase()];
  return Object.assign(Readable.from([Buffer.from(body)]), {
    headers,
    get,
    complete,
    params: { id: slack.route },
  });
}

/** The answer of a gateway whose only hook is that of a Slack app. */
async function answerTo(request: HookRequest, limits: Partial<typeof free> = {}) {
  const deps = {
    keyRing: { lookup: () => slack, reread: async () => true },
    inFlight: new InFlight({ ...free, ...limits }),
    storeTimeoutMs: 2_000,
    intake: {
      provider: providerNamed,
      integration: () => undefined,
      facts: () => noFacts,
      compile: compileRule,
      clock: systemClock,
      client: createFakeClient(),
    },
  };
  return (await handleHook(deps, request)).answer;
}

describe("a delivery whose body is not read", () => {
  it.each([
    ["is too large, as announced", aRequest("{", 2 * MiB), 413, "TooLarge"],
    ["is too large, without an announced length", aRequest("x".repeat(MiB + 1), undefined), 413, "TooLarge"],
    ["ends early", aRequest("{", 100), 400, "Truncated"],
  ])(
    "gets the answer in the provider's form if it %s: Slack does not send it again",
    async (_name, request, status, reason) => {
      const answer = await answerTo(request, { bytesPerKey: 4 * MiB, bytes: 4 * MiB });
      expect(answer).toMatchObject({ status, body: { reason } });
      expect(answer.reply).toEqual({ status, headers: { "x-slack-no-retry": "1" }, body: "" });
    },
  );

  it.each([
    ["deliveries", { requests: 0 }],
    ["bytes", { bytes: 1 }],
  ])(
    "gets the answer in the provider's form if too many %s are in flight: Slack may send it again",
    async (_name, limits) => {
      const answer = await answerTo(aRequest("{}"), limits);
      expect(answer).toMatchObject({
        status: 429,
        headers: { "retry-after": "10" },
        body: { reason: "TooManyInFlight" },
      });
      expect(answer.reply).toEqual({ status: 429, body: "" });
    },
  );
});
