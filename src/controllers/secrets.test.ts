import { beforeEach, describe, expect, it } from "vitest";
import { configMaps, secrets } from "../kube/resources.ts";
import { createFakeClient, type FakeClient } from "../kube/testing.ts";
import { FakeClock } from "../shared/fake-clock.ts";
import { withRecentSecrets } from "./secrets.ts";

const signal = AbortSignal.timeout(5_000);
const app = { namespace: "team", name: "app" };

describe("Secrets for the sign-ins of tasks", () => {
  let client: FakeClient;
  let clock: FakeClock;
  let requests: number;
  beforeEach(() => {
    [client, clock, requests] = [createFakeClient(), new FakeClock(new Date()), 0];
    client.before = () => void requests++;
  });
  const seed = (key: string) => client.seed(secrets, { metadata: { ...app }, data: { key } });

  it("are read once in ten seconds, and changed ones are used after that", async () => {
    seed("old");
    const recent = withRecentSecrets(client, clock);
    await recent.find(secrets, app, signal);
    client.seed(secrets, { metadata: { ...app }, data: { key: "new" } });
    expect((await recent.find(secrets, app, signal))?.data).toEqual({ key: "old" });
    expect(requests).toBe(1);
    await clock.advance(10_000);
    expect((await recent.find(secrets, app, signal))?.data).toEqual({ key: "new" });
  });

  it("are seen as soon as somebody creates them", async () => {
    const recent = withRecentSecrets(client, clock);
    expect(await recent.find(secrets, app, signal)).toBeUndefined();
    seed("new");
    expect((await recent.find(secrets, app, signal))?.data).toEqual({ key: "new" });
  });

  it("are never mixed up with those of another namespace, and other objects are always read", async () => {
    seed("ours");
    client.seed(configMaps, { metadata: { ...app }, data: { key: "public" } });
    const recent = withRecentSecrets(client, clock);
    await recent.find(secrets, app, signal);
    expect(await recent.find(secrets, { ...app, namespace: "others" }, signal)).toBeUndefined();
    expect((await recent.find(configMaps, app, signal))?.data).toEqual({ key: "public" });
    await recent.find(configMaps, app, signal);
    expect(requests).toBe(4);
  });
});
