import { afterAll, beforeAll, expect, it } from "vitest";
import { providers } from "../../src/integrations/registry.ts";
import type { ProviderName } from "../../src/integrations/types.ts";
import { conformance, type Subject } from "./conformance.ts";
import { startSignedIn, type SignedIn } from "./signed-in.ts";
import { failing } from "./github/index.ts";

/** Starts the stand-in of each provider as a subject of the suite. A provider without a stand-in fails the first test. */
const subjects: Record<ProviderName, () => Promise<{ subject: Subject; close: () => Promise<void> }>> = {
  github: gitHubSubject,
};
const running = new Map<string, { subject: Subject; close: () => Promise<void> }>();

beforeAll(async () => {
  for (const [name, start] of Object.entries(subjects)) running.set(name, await start());
});
afterAll(async () => {
  for (const { close } of running.values()) await close();
});

it("has a subject for every provider of the registry", () => {
  expect(Object.keys(subjects).sort()).toEqual(Object.keys(providers).sort());
});

for (const name of Object.keys(providers)) {
  conformance(name, () => {
    const found = running.get(name);
    if (!found) throw new Error(`there is no stand-in for provider ${name}`);
    return found.subject;
  });
}

async function gitHubSubject(): Promise<{ subject: Subject; close: () => Promise<void> }> {
  const world: SignedIn = await startSignedIn();
  const integration = world.integration();
  const subject: Subject = {
    provider: providers.github,
    integration,
    connection: await world.connect(integration),
    repository: world.repository,
    openSubject: async () => {
      const { number } = await world.github.people.openIssue({ as: "ana", repo: "acme/shop", title: "A subject" });
      return number;
    },
    connectWrongly: async () => {
      const secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
      const credentials = { token: { secretRef: { name: "token", key: "t" } } };
      return { connection: await world.connect(world.integration({ credentials }), secret), secret };
    },
    failOnce: () => void world.github.fail({}, failing.badGateway(), { times: 1 }),
  };
  return { subject, close: () => world.close() };
}
