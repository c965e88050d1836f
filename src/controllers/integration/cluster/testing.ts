import { afterAll, afterEach, beforeAll, beforeEach, inject } from "vitest";
import { installCrds } from "../../../../test/cluster/crds.ts";
import { call } from "../../../../test/providers/github/testing.ts";
import type { GitHubIntegration } from "../../../api/github-integration.ts";
import { connect } from "../../../kube/config.ts";
import type { KubeClient, KubeConnection } from "../../../kube/types.ts";
import { anIntegrationWorld, type IntegrationWorld } from "../testing.ts";

/** Fixture that the tests of a file share. Each test gets a new `world`, with the bot's token and the App's key as Secrets `token` and `app`. */
export interface IntegrationTests {
  readonly client: KubeConnection;
  readonly world: IntegrationWorld;
  /** The bot's own token, to read from GitHub. */
  readonly token: string;
  /** Starts again in a new world whose controller uses this client. */
  restart(client: KubeClient): Promise<void>;
  /** Creates an integration, reconciles it and returns the result. */
  settle(name?: string, spec?: object): Promise<GitHubIntegration>;
  /** Reconciles it once more. */
  again(name?: string): Promise<GitHubIntegration>;
  /** A repository's hooks, as the GitHub API returns them. */
  hooksOf(repo?: string): Promise<RepositoryHook[]>;
  /** The App's only hook, as the GitHub API returns it. */
  appHook(): Promise<Record<string, unknown>>;
}

/** A hook, as the GitHub API returns it. */
interface RepositoryHook {
  id: number;
  active: boolean;
  events: string[];
  config: Record<string, string>;
}

/** Creates a new world on the shared API server for each test of a file. Call it once, at the top of the file. */
export function integrationTests(): IntegrationTests {
  let client: KubeConnection;
  let world: IntegrationWorld | undefined;
  let token: string;
  beforeAll(async () => {
    ({ client } = await connect({ kubeconfig: inject("kubeconfigPath") }));
    await installCrds(client);
  });
  afterAll(() => client.close());
  const begin = async (theirs: KubeClient): Promise<void> => {
    world = await anIntegrationWorld(theirs);
    token = await world.github.people.createUserToken({ login: "bot" });
    await world.secret("token", token);
    await world.secret("app", world.github.app("bellhop").privateKey);
  };
  beforeEach(() => begin(client));
  afterEach(() => world?.close());
  const current = (): IntegrationWorld => {
    if (!world) throw new Error("there is a world in tests only");
    return world;
  };
  const again = async (name = "shop"): Promise<GitHubIntegration> => {
    await current().reconcile(name);
    return current().read(name);
  };
  return {
    get client() {
      return client;
    },
    get world() {
      return current();
    },
    get token() {
      return token;
    },
    async restart(theirs) {
      await current().close();
      await begin(theirs);
    },
    again,
    async settle(name = "shop", spec = {}) {
      await current().create(name, spec);
      return again(name);
    },
    async hooksOf(repo = "acme/shop") {
      return (await call<RepositoryHook[]>(current().github, `GET /repos/${repo}/hooks`, token)).body;
    },
    async appHook() {
      const { github } = current();
      return (await call(github, "GET /app/hook/config", github.appJwt("bellhop"))).body;
    },
  };
}
