import { unexpected } from "../shared/testing.ts";
import type { Change, CodeHost, Connection, Reporter } from "./connection.ts";
import { ProviderError } from "./errors.ts";
import type { Provider } from "./types.ts";

/** A provider whose integrations cover every repository of github.com, with hooks of their own; it ignores deliveries. */
export function aProvider(over: Partial<Provider> = {}): Provider {
  return {
    name: "github",
    kind: "GitHubIntegration",
    host: () => "github.com",
    covers: () => true,
    webhooks: {
      maxBodyBytes: 1024 * 1024,
      contentTypes: ["application/json"],
      verify: () => ({ ok: false, reason: "SignatureMissing" }),
      deliveryId: () => undefined,
      normalise: () => ({ outcome: "ignored", reason: "Test", message: "The test has no events." }),
    },
    sharedHook: () => undefined,
    connect: async () => aConnection(),
    ...over,
  };
}

/** A connection with valid credentials and the capabilities that the test gives. */
export function aConnection(over: Partial<Connection> = {}): Connection {
  return {
    credentials: {
      check: async () => ({
        bot: { id: "99", login: "bellhop[bot]", mention: "bellhop" },
        installations: [],
        tokenScope: "PerTask",
        missing: [],
      }),
    },
    ...over,
  };
}

/** A reporter that leaves texts as they are and finds no message; a test that posts gives `create` and `update`. */
export function aReporter(over: Partial<Reporter> = {}): Reporter {
  return {
    encode: (text) => text,
    excerpt: (text) => text,
    quote: (words) => `“${words}”`,
    hiddenMarker: (marker) => `<!-- ${marker} -->`,
    create: unexpected("create"),
    update: unexpected("update"),
    find: async () => undefined,
    ...over,
  };
}

/** A repository in memory, as a code host shows it. */
export interface FakeHostState {
  repository: { defaultBranch: string; archived: boolean; empty: boolean } | undefined;
  branches: Record<string, { sha: string; protected: boolean }>;
  changes: Change[];
  /** Valid tokens, with their access. */
  tokens: Map<string, "read" | "write">;
  minted: number;
  now: () => Date;
}

/** A code host in memory: acme/shop with `main` at aaaa…. */
export function fakeHost(over: Partial<FakeHostState> = {}): { host: CodeHost; state: FakeHostState } {
  const state: FakeHostState = {
    repository: { defaultBranch: "main", archived: false, empty: false },
    branches: { main: { sha: "a".repeat(40), protected: true } },
    changes: [],
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
    change: async (_repository, number) => state.changes.find((change) => change.number === number),
    findChange: async (_repository, headRef) =>
      state.changes.find((change) => change.headRef === headRef && change.state === "Open" && change.sameRepository),
    isBase: async (_repository, branch) =>
      state.changes.some((change) => change.baseRef === branch && change.state === "Open"),
    openChange: unexpected("openChange"),
    updateChange: unexpected("updateChange"),
    closingReference: (subject) => `Fixes #${subject}`,
    skipChecksTrailer: "skip-checks: true",
    releaseChecks: unexpected("releaseChecks"),
    coAuthor: ({ id, login }) => `${login} <${id}+${login}@users.noreply.github.com>`,
  };
  return { host, state };
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
