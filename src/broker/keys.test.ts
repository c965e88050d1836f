import { describe, expect, it } from "vitest";
import type { Secret } from "../kube/resources.ts";
import type { KubeClient } from "../kube/types.ts";
import { FakeClock } from "../shared/fake-clock.ts";
import { silentLogger } from "../shared/log.ts";
import { brokerSecretNames, followKeys } from "./keys.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("the broker's keys", () => {
  it("stay in use if new keys are unusable, and are read again", async () => {
    let cert = "good";
    const find = (async (_type, { name }) =>
      ({
        metadata: { name },
        data:
          name === brokerSecretNames.tls
            ? { "tls.crt": base64(cert), "tls.key": base64("key") }
            : { current: base64("signing") },
      }) satisfies Secret) as KubeClient["find"];
    const clock = new FakeClock();
    const stop = new AbortController();
    const errors: object[] = [];
    const log = { ...silentLogger, error: (fields: object) => errors.push(fields) };
    const used: string[] = [];
    const following = followKeys(
      { client: { find } as KubeClient, clock, log, namespace: "broker" },
      ({ tls }) => {
        if (tls.cert === "damaged") throw new Error("no start line");
        used.push(tls.cert);
      },
      stop.signal,
    );
    await clock.advance(1);
    cert = "damaged";
    await clock.advance(30_000);
    expect(errors).toMatchObject([{ error: new Error("no start line") }]);
    cert = "renewed";
    await clock.advance(30_000);
    expect(used).toEqual(["good", "renewed"]);
    stop.abort();
    await following;
  });
});
