import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { names } from "../../src/api/annotations.ts";
import { GitHubIntegrationKind } from "../../src/api/github-integration.ts";
import { AgentTaskKind } from "../../src/api/kinds.ts";
import { crds, generatedCrds, installCrds } from "../cluster/crds.ts";
import { eventually } from "../cluster/namespace.ts";
import { startWorld, type World } from "../integration/journey/world/index.ts";
import { anIssue } from "../integration/journey/world/thread.ts";
import { aTeam } from "../integration/journey/world/team.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.close());

const operatorLog = (): string => world.parts.operator?.tail(20_000) ?? "";

describe("CRDs that are deleted while Bellhop runs", () => {
  it("disappear soon, because the operator cleans up their objects; it continues when they are back", async () => {
    const team = await aTeam(world, "acme");
    const thread = await anIssue(team);
    const task = await thread.reported(await thread.ask("please fix this"));
    expect(task.metadata.finalizers).toEqual([names.finalizer]);
    const { client } = world;
    expect(
      (await client.get(GitHubIntegrationKind, { namespace: team.namespace, name: "acme" })).metadata.finalizers,
    ).toEqual([names.finalizer]);

    for (const { metadata } of await generatedCrds()) await client.delete(crds, metadata);
    for (const { metadata } of await generatedCrds()) {
      const gone = async (): Promise<boolean> => (await client.find(crds, metadata)) === undefined;
      await eventually(gone, { describe: `${metadata.name} to be gone\n${world.logs()}`, timeoutMs: 60_000 });
    }
    const missingCrd =
      /"crd":"agenttasks\.bellhop\.dev".*"the API server does not serve this kind: is its CRD installed\?"/;
    await eventually(() => missingCrd.test(operatorLog()), { describe: "the operator to say which CRD is missing" });

    // An operator that starts meanwhile also waits: it does not exit, so a kubelet does not restart it.
    await world.kill("operator");
    await world.start("operator");
    await eventually(() => missingCrd.test(operatorLog()), {
      describe: "the next operator to say which CRD is missing",
    });
    expect(world.parts.operator?.ending).toBeUndefined();
    expect(world.parts.gateway?.ending).toBeUndefined();

    await installCrds(client);
    const next = await anIssue(await aTeam(world, "umbrella"));
    expect((await next.reported(await next.ask("please fix this"))).status).toMatchObject({ phase: "Succeeded" });
    expect(await client.list(AgentTaskKind, { namespace: team.namespace })).toMatchObject({ items: [] });
  });
});
