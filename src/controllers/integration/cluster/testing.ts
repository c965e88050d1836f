import { afterAll, afterEach, beforeAll, beforeEach, inject } from "vitest";
import { installCrds } from "../../../../test/cluster/crds.ts";
import { call } from "../../../../test/providers/github/testing.ts";
import type { GitHubIntegration } from "../../../api/kinds.ts";
import { connect } from "../../../kube/config.ts";
import type { KubeClient, KubeConnection } from "../../../kube/types.ts";
import { anIntegrationWorld, type IntegrationWorld } from "../testing.ts";

/** What the tests of a file share. `world` is another for each test; it holds the bot's token and the App's key as Secrets `token` and `app`. */
export interface IntegrationTests {
  readonly client: KubeConnection;
  readonly world: IntegrationWorld;
  /** The bot's own, to look at GitHub with. */
  readonly token: string;
  /** Begins anew in a world whose controller has this client. */
  restart(client: KubeClient): Promise<void>;
  /** Creates an integration and reconciles it; gives it as it is then. */
  settle(name?: string, spec?: object): Promise<GitHubIntegration>;
  /** Reconciles it once more. */
  again(name?: string): Promise<GitHubIntegration>;
  /** A repository's hooks, as GitHub shows them. */
  hooksOf(repo?: string): Promise<RepositoryHook[]>;
  /** The App's one hook, as GitHub shows it. */
  appHook(): Promise<Record<string, unknown>>;
}

/** A hook, as GitHub answers it. */
interface RepositoryHook {
  id: number;
  active: boolean;
  events: string[];
  config: Record<string, string>;
}

/** Gives each test of a file a world of its own on the shared API server. Call it once, at the top. */
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
      const { body } = await call(current().github, `GET /repos/${repo}/hooks`, token);
      return body as unknown as RepositoryHook[];
    },
    async appHook() {
      const { github } = current();
      return (await call(github, "GET /app/hook/config", github.appJwt("bellhop"))).body;
    },
  };
}
