import { unexpected } from "../shared/testing.ts";
import type { Change, CodeHost, Permission } from "./code-host.ts";
import type { Connection, Thread } from "./connection.ts";
import { ProviderError } from "./errors.ts";
import type { EventRepository } from "./event.ts";
import type { Ingress, WebhookSettings } from "./ingress.ts";
import type { Provider } from "./provider.ts";

/** A provider whose integrations cover every repository of github.com, with hooks of their own; it ignores deliveries. */
export function aProvider(over: Partial<Provider> = {}): Provider {
  return {
    name: "github",
    kind: "GitHubIntegration",
    host: () => "github.com",
    covers: () => true,
    ingress: anIngress(),
    connect: async () => aConnection(),
    ...over,
  };
}

/** An ingress that verifies nothing and ignores every delivery, with the settings of its hook from `spec.webhook` and these. */
export function anIngress(webhook: Partial<WebhookSettings> = {}): Ingress {
  return {
    maxBodyBytes: 1024 * 1024,
    contentTypes: ["application/json"],
    answerWithinMs: 10_000,
    webhook: ({ spec }) => ({
      install: "Auto",
      acceptedKeysPath: "spec.webhook.acceptedKeysRef",
      manually: "the hook is managed manually (spec.webhook.install: Manual)",
      takeOver: false,
      ...(spec as { webhook?: Partial<WebhookSettings> }).webhook,
      ...webhook,
    }),
    verify: () => ({ ok: false, reason: "SignatureMissing" }),
    deliveryId: () => undefined,
    normalise: () => ({ outcome: "ignored", reason: "Test", message: "The test has no events." }),
  };
}

/** A connection with valid credentials and the capabilities that the test gives. */
export function aConnection(over: Partial<Connection> = {}): Connection {
  return {
    identity: {
      check: async () => ({
        bot: { id: "99", login: "bellhop[bot]", mention: "bellhop" },
        installations: [],
        tokenScope: "PerTask",
        missing: [],
      }),
    },
    authorizer: { may: unexpected("may") },
    source: { reread: unexpected("reread"), gather: unexpected("gather") },
    ...over,
  };
}

/** A thread that every task has, with texts as they are and no message; a test that posts gives `post` and `update`. */
export function aThread(over: Partial<Thread> = {}): Thread {
  return {
    turn: () => 0,
    has: () => true,
    excerpt: (text) => text,
    post: unexpected("post"),
    update: unexpected("update"),
    find: async () => undefined,
    ...over,
  };
}

/** A repository in memory, as a code host shows it. */
export interface FakeHostState {
  repository: { defaultBranch: string; archived: boolean; empty: boolean; private?: boolean } | undefined;
  /** Repositories that the integration covers, for look-ups by name. */
  named: EventRepository[];
  /** Permissions on the repository, by the id of the person; `None` for everybody else. */
  permissions: Record<string, Permission>;
  branches: Record<string, { sha: string; protected: boolean }>;
  changes: Change[];
  /** Why pushes to these branches would be refused. */
  pushRefusals: Record<string, string>;
  /** Valid tokens, with their access. */
  tokens: Map<string, "read" | "write">;
  minted: number;
  now: () => Date;
}

/** A code host in memory: acme/shop with `main` at aaaa…. */
export function fakeHost(over: Partial<FakeHostState> = {}): { host: CodeHost; state: FakeHostState } {
  const state: FakeHostState = {
    repository: { defaultBranch: "main", archived: false, empty: false },
    named: [{ id: "9001", host: "github.com", owner: "acme", name: "shop", private: true }],
    permissions: {},
    branches: { main: { sha: "a".repeat(40), protected: true } },
    changes: [],
    pushRefusals: {},
    tokens: new Map(),
    minted: 0,
    now: () => new Date("2026-03-01T12:00:00Z"),
    ...over,
  };
  const host: CodeHost = {
    async repository(ref) {
      if (!state.repository) throw new ProviderError("NotFound", "404");
      return { ...ref, private: true, cloneURL: "https://github.com/acme/shop.git", ...state.repository };
    },
    async mintToken(_repository, access) {
      const password = `token-${++state.minted}-of-the-fake-host`;
      state.tokens.set(password, access);
      return { username: "x", password, expiresAt: new Date(state.now().getTime() + 3_600_000).toISOString() };
    },
    async revokeToken(token) {
      state.tokens.delete(token);
    },
    branch: async (_repository, name) => state.branches[name],
    pushRefusal: async (_repository, { name }) => state.pushRefusals[name],
    change: async (_repository, number) => state.changes.find((change) => change.number === number),
    findChange: async (_repository, headRef) =>
      state.changes.find((change) => change.headRef === headRef && change.state === "Open" && change.sameRepository),
    isBase: async (_repository, branch) =>
      state.changes.some((change) => change.baseRef === branch && change.state === "Open"),
    openChange: unexpected("openChange"),
    updateChange: unexpected("updateChange"),
    bodyWith: () => undefined,
    permission: async (_repository, { id, login }) => ({
      permission: state.permissions[id] ?? "None",
      login,
      isBot: false,
    }),
    repositoryNamed: async (name) => state.named.find((one) => nameOf(one) === name),
    repositoryNames: async ({ limit, publicOnly }) =>
      state.named
        .filter((one) => !(publicOnly && one.private))
        .map(nameOf)
        .slice(0, limit),
    skipChecksTrailer: "skip-checks: true",
    releaseChecks: unexpected("releaseChecks"),
    coAuthor: ({ id, login }) => `${login} <${id}+${login}@users.noreply.github.com>`,
  };
  return { host, state };
}

function nameOf({ owner, name }: EventRepository): string {
  return `${owner}/${name}`;
}

/** An open pull request of @bob from `feature` to `main`. */
export function aChange(over: Partial<Change> = {}): Change {
  return {
    number: 57,
    url: "https://github.com/acme/shop/pull/57",
    title: "Feature",
    body: "",
    state: "Open",
    draft: false,
    baseRef: "main",
    headRef: "feature",
    headSHA: "f".repeat(40),
    sameRepository: true,
    author: { id: "8", login: "bob" },
    ...over,
  };
}
