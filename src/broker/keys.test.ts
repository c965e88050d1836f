import { describe, expect, it } from "vitest";
import { secrets } from "../kube/resources.ts";
import { createFakeClient } from "../kube/testing.ts";
import { FakeClock } from "../shared/fake-clock.ts";
import { silentLogger } from "../shared/log.ts";
import { brokerSecretNames, followKeys } from "./keys.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("the broker's keys", () => {
  it("stay in use if new keys are unusable, and are read again", async () => {
    const client = createFakeClient();
    const store = (name: string, data: Record<string, string>): unknown =>
      client.seed(secrets, { metadata: { name, namespace: "broker" }, data });
    const renew = (cert: string): unknown =>
      store(brokerSecretNames.tls, { "tls.crt": base64(cert), "tls.key": base64("key") });
    store(brokerSecretNames.signing, { current: base64("signing") });
    renew("good");
    const clock = new FakeClock();
    const stop = new AbortController();
    const errors: object[] = [];
    const log = { ...silentLogger, error: (fields: object) => errors.push(fields) };
    const used: string[] = [];
    const following = followKeys(
      { client, clock, log, namespace: "broker" },
      ({ tls }) => {
        if (tls.cert === "damaged") throw new Error("no start line");
        used.push(tls.cert);
      },
      stop.signal,
    );
    await clock.advance(1);
    renew("damaged");
    await clock.advance(30_000);
    expect(errors).toMatchObject([{ error: new Error("no start line") }]);
    renew("renewed");
    await clock.advance(30_000);
    expect(used).toEqual(["good", "renewed"]);
    stop.abort();
    await following;
  });
});
