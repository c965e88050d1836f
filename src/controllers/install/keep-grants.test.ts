import { expect, it } from "vitest";
import { anIntegration } from "../../intake/testing.ts";
import { ProviderError } from "../../integrations/errors.ts";
import type { InstallFlow, OAuthGrant } from "../../integrations/sign-in.ts";
import { aProvider } from "../../integrations/testing.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { silentLogger } from "../../shared/log.ts";
import { unexpected } from "../../shared/testing.ts";
import { changeGrantSecret, createGrantSecret } from "./grant-secret.ts";
import { keepGrants } from "./keep-grants.ts";

const patiently = new AbortController().signal;
const minuteMs = 60_000;

/** An integration with a token of this lifetime; `refresh` answers its refreshes. */
async function aToken(lifeMs: number, refresh: (grant: OAuthGrant) => OAuthGrant) {
  const clock = new FakeClock("2026-03-01T12:00:00Z");
  const client = createFakeClient({ clock });
  let refreshes = 0;
  const flow: InstallFlow = {
    accounts: () => ["acme"],
    accountsPath: "spec.accounts",
    authorizeURL: () => "https://acme.example/authorize",
    exchange: unexpected("exchange"),
    revoke: unexpected("revoke"),
    refresh: async (_context, grant) => {
      refreshes += 1;
      return refresh(grant);
    },
  };
  const deps = { client, clock, log: silentLogger, fetch: unexpected("fetch"), namespace: "bellhop" };
  await createGrantSecret(deps, "u1");
  const grant: OAuthGrant = {
    account: "acme",
    name: "Acme",
    accessToken: "access",
    refreshToken: "refresh",
    givenAt: clock.now().toISOString(),
    expiresAt: new Date(clock.now().getTime() + lifeMs).toISOString(),
  };
  await changeGrantSecret(deps, "u1", (content) => ({ ...content, grants: [grant] }));
  let writes = 0;
  client.before = ({ verb }) => {
    if (verb === "replace") writes += 1;
  };
  const keep = () => keepGrants(deps, aProvider({ install: flow }), anIntegration({ uid: "u1" }), patiently);
  return { clock, keep, writes: () => writes, refreshes: () => refreshes };
}

it.each([
  { name: "20 minutes before the end of an hour", lifeMs: 60 * minuteMs, aheadMs: 20 * minuteMs },
  { name: "three hours before the end of twelve", lifeMs: 720 * minuteMs, aheadMs: 180 * minuteMs },
])("a token is refreshed $name, and not earlier", async ({ lifeMs, aheadMs }) => {
  const { clock, keep, refreshes } = await aToken(lifeMs, (grant) => grant);
  await clock.advance(lifeMs - aheadMs - 1);
  await keep();
  expect(refreshes()).toBe(0);
  await clock.advance(1);
  await keep();
  expect(refreshes()).toBe(1);
});

it("a refresh that fails for the same reason again writes nothing again", async () => {
  const { clock, keep, writes, refreshes } = await aToken(60 * minuteMs, () => {
    throw new ProviderError("Unavailable", "no answer from acme.example");
  });
  await clock.advance(50 * minuteMs);
  await keep();
  expect(writes()).toBe(1);
  await keep();
  expect(refreshes()).toBe(2);
  expect(writes()).toBe(1);
});
