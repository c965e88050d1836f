import { execFileSync } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Agent, request } from "undici";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { agentProfileSpec } from "../../src/api/agent-profile.ts";
import type { AgentTaskSpec } from "../../src/api/agent-task.ts";
import { gitHubIntegrationSpec, GitHubIntegrationKind } from "../../src/api/github-integration.ts";
import { integrationKinds } from "../../src/api/integration-kinds.ts";
import { AgentProfileKind, AgentTaskKind, kinds, type AgentTask } from "../../src/api/kinds.ts";
import { SlackAppKind } from "../../src/api/slack-app.ts";
import { connect } from "../../src/kube/config.ts";
import type { KubeConfig, KubeConnection, KubeObject, ResourceType } from "../../src/kube/types.ts";
import { crds, generatedCrds, installCrds } from "../cluster/crds.ts";
import { aNamespace, eventually } from "../cluster/namespace.ts";
import { tool } from "../cluster/node/tools.ts";
import { applyAll, typeOf } from "./chart-world.ts";
import { aPersonsTask, otherSpec } from "./task-samples.ts";

const root = join(import.meta.dirname, "../..");
const kubeconfig = inject("kubeconfigPath");
let client: KubeConnection;
let config: KubeConfig;
let namespace: string;

beforeAll(async () => {
  ({ client, config } = await connect({ kubeconfig }));
  await installCrds(client);
});
afterAll(() => client.close());
beforeEach(async () => {
  namespace = await aNamespace(client, "api");
});

const minimalIntegration = {
  organization: "acme",
  credentials: { token: { secretRef: { name: "bot", key: "token" } } },
  profileRef: { name: "default" },
  triggers: [{ name: "mention", mention: {} }],
};
const minimalProfile = { agent: { type: "custom", image: "registry.example.com/agent:1", command: ["/agent"] } };

/** Objects as a person writes them: only the required fields. */
const integrations = loosely(GitHubIntegrationKind);
const profiles = loosely(AgentProfileKind);

/** The type of a kind for the objects of these tests, whose spec may have any shape: people also write specs that the API refuses. */
function loosely(type: ResourceType<KubeObject>): ResourceType<KubeObject & { spec: object }> {
  const { group, version, kind, plural, namespaced } = type;
  return { group, version, kind, plural, namespaced };
}

describe("the samples", () => {
  it("are accepted unchanged, and have no field that the schema does not know", async () => {
    const files = await readdir(join(root, "config/samples"), { recursive: true });
    const paths = files.filter((file) => file.endsWith(".yaml")).map((file) => join(root, "config/samples", file));
    const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
    const objects = texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as KubeObject));
    const inNamespace = objects.map((object) => ({ ...object, metadata: { ...object.metadata, namespace } }));
    await applyAll(client, inNamespace);
    expect(new Set(objects.map(({ kind }) => kind))).toEqual(new Set(["Secret", ...kinds.map(({ kind }) => kind)]));
    for (const object of inNamespace.filter(({ kind }) => kind !== "Secret")) {
      // An unknown field is dropped silently by the server: what comes back must hold all that was sent.
      expect(await client.get(typeOf(object), object.metadata)).toMatchObject(object);
    }
  });
});

describe("each CRD", () => {
  it.each(kinds.map(({ kind, plural, group }) => [kind, `${group}_${plural}.yaml`]))(
    "of %s is under 200 kB, and the same in the chart",
    async (_kind, file) => {
      expect((await stat(join(root, "config/crd", file))).size).toBeLessThan(200_000);
      const [ours, charts] = await Promise.all(
        ["config/crd", "charts/bellhop/files/crds"].map((folder) => readFile(join(root, folder, file), "utf8")),
      );
      expect(charts).toBe(ours);
    },
  );

  it("is stored without a change, so that no tool reports a difference", async () => {
    for (const definition of await generatedCrds()) {
      const { spec } = await client.get(crds, definition.metadata);
      expect(spec).toEqual({ ...definition.spec, conversion: { strategy: "None" } });
    }
  });

  it.each(kinds.map(({ kind, plural, shortNames }) => [kind, plural, shortNames] as const))(
    "of %s has its short name and the category bellhop",
    async (kind, plural, shortNames) => {
      const { resources } = (await raw("/apis/bellhop.dev/v1alpha1")) as { resources: { name: string }[] };
      expect(resources.find(({ name }) => name === plural)).toMatchObject({
        kind,
        namespaced: true,
        shortNames,
        categories: ["bellhop"],
      });
      expect(resources.map(({ name }) => name)).toContain(`${plural}/status`);
    },
  );

  it.each([
    [GitHubIntegrationKind, { ...minimalIntegration }, 32],
    [AgentProfileKind, { ...minimalProfile }, 32],
    [AgentTaskKind, aPersonsTask("").spec, 63],
  ] as const)("limits names, because other names are derived from them: $kind", async (kind, spec, longest) => {
    const type = loosely(kind);
    const named = (length: number) => client.create(type, { metadata: { name: "n".repeat(length), namespace }, spec });
    await expect(named(longest)).resolves.toBeDefined();
    await invalid(named(longest + 1), /metadata\.name may have at most/);
  });

  it.each([integrations, profiles, AgentTaskKind])("requires a spec: $kind", async (kind) => {
    const type: ResourceType<KubeObject> = kind;
    await invalid(client.create(type, { metadata: { name: "none", namespace } }), /spec: Required value/);
  });
});

describe("a task's spec", () => {
  const optional = [
    "codeHostRef",
    "command",
    "commandArgument",
    "commandTarget",
    "commandMessage",
    "repository",
    "prompt",
    "limits",
    "retryOf",
  ] as const;
  const required = ["integrationRef", "source", "actor", "conversation", "profileRef"] as const;
  const immutable = /spec is immutable; only spec\.cancel may be set, once/;
  /** Every optional field is set, with other values than `otherSpec` has. */
  const full: Partial<AgentTaskSpec> = {
    codeHostRef: { kind: "GitHubIntegration", name: "shop" },
    command: "approve",
    commandArgument: "abcdef0",
    commandTarget: "first-task",
    commandMessage: "1700000000.000900",
    prompt: "Repair it.",
    limits: { wallClock: "10m" },
    retryOf: { name: "first" },
  };
  const patch = (task: AgentTask, spec: object | null) => client.mergePatch(AgentTaskKind, task.metadata, { spec });

  it("has a test for each field below", async () => {
    const names = Object.keys(otherSpec).toSorted();
    expect([...optional, ...required].toSorted()).toEqual(names);
    const crd = (await raw("/openapi/v3/apis/bellhop.dev/v1alpha1")) as OpenAPI;
    const known = crd.components.schemas["dev.bellhop.v1alpha1.AgentTask"]?.properties.spec.properties ?? {};
    expect(Object.keys(known).toSorted()).toEqual([...names, "cancel"].toSorted());
  });

  it.each([...optional, ...required])("is immutable: %s cannot be changed", async (field) => {
    const task = await client.create(AgentTaskKind, aPersonsTask(namespace, full));
    await invalid(patch(task, { [field]: otherSpec[field] }), immutable);
  });

  it.each(optional)("is immutable: %s cannot be removed", async (field) => {
    const task = await client.create(AgentTaskKind, aPersonsTask(namespace, full));
    // Without the arguments of `approve` another rule refuses first, so the test removes both.
    await invalid(
      client.jsonPatch(AgentTaskKind, task.metadata, [{ op: "remove", path: `/spec/${field}` }]),
      immutable,
    );
    const { [field]: _gone, ...rest } = task.spec;
    await invalid(client.replace(AgentTaskKind, { ...task, spec: rest }), immutable);
  });

  it.each(optional)("is immutable: %s cannot be added", async (field) => {
    const needsCommand = field === "commandArgument" || field === "commandTarget";
    const base = aPersonsTask(namespace, needsCommand ? { command: "approve" } : {});
    if (field === "repository") {
      base.spec.command = "help";
      delete base.spec.repository;
    }
    const task = await client.create(AgentTaskKind, base);
    await invalid(patch(task, { [field]: otherSpec[field] }), immutable);
  });

  it.each([
    ["a nested field is changed", { source: { cause: "kubectl/9" } }],
    ["an optional nested field is added", { source: { url: "https://github.com/acme/shop/issues/1" } }],
    ["an optional nested field is removed", { source: { event: null } }],
    ["a field of a nested object is changed", { source: { subject: { key: "acme/other#1" } } }],
    ["a nested object is emptied", { limits: { wallClock: null } }],
    ["the actor's id is changed", { actor: { id: "1" } }],
    ["the repository is renamed", { repository: { name: "other" } }],
  ])("does not change: %s", async (_name, change) => {
    const draft = aPersonsTask(namespace, full);
    draft.spec.source.event = "issue_comment";
    const task = await client.create(AgentTaskKind, draft);
    await invalid(patch(task, change), immutable);
  });

  it("cannot be removed, emptied, or removed and added again", async () => {
    const task = await client.create(AgentTaskKind, aPersonsTask(namespace));
    await invalid(patch(task, null), /spec: Required value/);
    await invalid(client.jsonPatch(AgentTaskKind, task.metadata, [{ op: "remove", path: "/spec" }]), /spec/);
    await invalid(
      client.jsonPatch(AgentTaskKind, task.metadata, [{ op: "replace", path: "/spec", value: {} }]),
      /spec/,
    );
    const { spec: _spec, ...bare } = task;
    await invalid(client.replace(AgentTaskKind, bare as AgentTask), /spec: Required value/);
  });

  it("keeps a field when its manager applies the object without it", async () => {
    const draft = aPersonsTask(namespace, full);
    await client.apply(AgentTaskKind, draft, { fieldManager: "someone" });
    const { prompt: _prompt, ...spec } = draft.spec;
    await invalid(client.apply(AgentTaskKind, { ...draft, spec }, { fieldManager: "someone" }), immutable);
  });

  it("accepts cancel once, and keeps it", async () => {
    const task = await client.create(AgentTaskKind, aPersonsTask(namespace));
    const stays = /spec\.cancel can be set only once/;
    await patch(task, { cancel: { by: "alice" } });
    await invalid(patch(task, { cancel: null }), stays);
    await invalid(patch(task, { cancel: { by: "bob" } }), stays);
    await invalid(patch(task, { cancel: { reason: "added later" } }), stays);
    const after = await client.mergePatch(AgentTaskKind, task.metadata, { metadata: { labels: { seen: "yes" } } });
    expect(after.spec.cancel).toEqual({ by: "alice" });
  });

  it.each([
    [
      "work without a repository",
      { repository: undefined },
      /spec\.repository is required for a task without spec\.command/,
    ],
    [
      "an argument without a command",
      { commandArgument: "3f2a1c9" },
      /spec\.commandArgument is allowed only with spec\.command approve/,
    ],
    [
      "an argument of another command",
      { command: "retry", commandArgument: "x" },
      /spec\.commandArgument is allowed only with/,
    ],
    [
      "a target without a command",
      { commandTarget: "first-task" },
      /spec\.commandTarget is allowed only with spec\.command/,
    ],
    ["a target that is no name", { command: "stop", commandTarget: "team/first" }, /commandTarget/],
    ["a command nobody knows", { command: "merge" }, /Unsupported value: "merge"/],
    ["a prompt over 64 KiB", { prompt: "x".repeat(65_537) }, /may not be more than 65536/],
    ["a duration without a unit", { limits: { wallClock: "90" } }, /wallClock/],
  ] as const)("is refused with %s", async (_name, over, words) => {
    await invalid(client.create(AgentTaskKind, aPersonsTask(namespace, over as Partial<AgentTaskSpec>)), words);
  });

  it("accepts the largest texts that the gateway writes", async () => {
    const draft = aPersonsTask(namespace, { prompt: "x".repeat(65_536) });
    draft.spec.source.text = "x".repeat(65_536);
    await expect(client.create(AgentTaskKind, draft)).resolves.toBeDefined();
  });
});

describe("the fields that identify an integration's hooks", () => {
  const privateKeySecretRef = { name: "app", key: "pem" };
  const url = "https://github.example.com";
  const withApp = { ...minimalIntegration, url, credentials: { app: { appId: 1, privateKeySecretRef } } };

  it.each([
    ["the URL", { url: "https://other.example.com" }, /url is immutable: create a new integration/],
    ["the URL, by removal", { url: null }, /url is immutable/],
    ["the App", { credentials: { app: { appId: 2 } } }, /appId is immutable: create a new integration/],
    [
      "the kind of credentials",
      { credentials: { app: null, token: { secretRef: privateKeySecretRef } } },
      /credentials: the kind is immutable: create a new integration/,
    ],
    ["the App, by removal", { credentials: { app: null } }, /credentials/],
    ["the credentials, by removal", { credentials: null }, /spec\.credentials/],
  ])("are immutable: %s cannot be changed", async (_name, patch, words) => {
    const { metadata } = await client.create(integrations, { metadata: { name: "shop", namespace }, spec: withApp });
    await invalid(client.mergePatch(integrations, metadata, { spec: patch }), words);
  });

  it("are the only immutable ones: Secrets may change", async () => {
    const { metadata } = await client.create(integrations, { metadata: { name: "shop", namespace }, spec: withApp });
    const spec = { credentials: { app: { privateKeySecretRef: { name: "next" } } }, organization: "other" };
    await expect(client.mergePatch(integrations, metadata, { spec })).resolves.toMatchObject({ spec });
  });
});

describe("the credentials of a SlackApp", () => {
  const ref = { name: "slack", key: "k" };
  const oauth = (workspaces: string[]) => ({ oauth: { clientId: "1.2", clientSecretRef: ref, workspaces } });
  const create = (credentials: object) =>
    client.create(SlackAppKind, {
      metadata: { name: "slack", namespace },
      spec: {
        credentials: { signingSecretRef: ref, ...credentials },
        codeHostRef: { kind: "GitHubIntegration", name: "shop" },
        profileRef: { name: "default" },
        triggers: [{ name: "t", mention: {} }],
      } as never,
    });

  it.each([
    ["neither a bot token nor the install flow", {}, /credentials: set exactly one of botTokenSecretRef, oauth/],
    ["both", { botTokenSecretRef: ref, ...oauth(["T1"]) }, /credentials: set exactly one of botTokenSecretRef, oauth/],
    ["no workspace", oauth([]), /workspaces/],
    ["a workspace twice", oauth(["T1", "T1"]), /Duplicate value/],
    ["an id of something else", oauth(["C1"]), /workspaces/],
    [
      "two organisations",
      oauth(["E1", "T1", "E2"]),
      /name at most one organisation \(E…\); create a SlackApp for each organisation/,
    ],
  ])("are refused: %s", async (_name, credentials, words) => {
    await invalid(create(credentials), words);
  });

  it("may allow several workspaces and one organisation", async () => {
    await expect(create(oauth(["T1", "T2", "E1"]))).resolves.toBeDefined();
  });
});

describe("unions", () => {
  const secretRef = { name: "s", key: "k" };
  const app = { appId: 1, privateKeySecretRef: secretRef };
  const trigger = (over: object) => ({ triggers: [{ name: "t", ...over }] });
  const volume = (over: object) => ({ sandbox: { volumes: [{ name: "v", mountPath: "/cache", ...over }] } });
  const volumes = /volume: set exactly one of emptyDir, configMap, persistentVolumeClaim/;

  it.each([
    ["no credentials", { credentials: {} }, /credentials: set exactly one of app, token/],
    ["two credentials", { credentials: { app, token: { secretRef } } }, /credentials: set exactly one of app, token/],
    ["a trigger of no kind", trigger({}), /trigger: set exactly one of/],
    ["a trigger of two kinds", trigger({ mention: {}, label: { name: "x" } }), /trigger: set exactly one of/],
    ["neither organisation nor repositories", { organization: undefined }, /set organization, repositories, or both/],
    ["a repository elsewhere", { repositories: ["Acme/shop", "else/where"] }, /must belong to organization/],
    ["a manual webhook without its key", { webhook: { install: "Manual" } }, /requires webhook\.acceptedKeysRef/],
    ["a URL without https", { url: "http://github.example.com" }, /spec\.url/],
    ["a URL whose host is none", { url: "https://[x]" }, /spec\.url/],
    ["a URL with a port that is none", { url: "https://github.example.com:port" }, /spec\.url/],
    ["a URL with a path", { url: "https://github.example.com/api" }, /spec\.url/],
    [
      "two triggers of one name",
      { triggers: [minimalIntegration.triggers[0], minimalIntegration.triggers[0]] },
      /Duplicate/,
    ],
  ])("refuse an integration with %s", async (_name, over, words) => {
    const spec = { ...minimalIntegration, ...over };
    await invalid(client.create(integrations, { metadata: { name: "wrong", namespace }, spec }), words);
  });

  it.each([
    ["a prefix of branches that git refuses", { output: { branchPrefix: "bot.lock/" } }, /git accepts no branch/],
    ["a volume of no kind", volume({}), volumes],
    ["a volume of two kinds", volume({ emptyDir: { sizeLimit: "1Gi" }, configMap: { name: "c" } }), volumes],
    ["a volume over the workspace", volume({ mountPath: "/workspace/x", configMap: { name: "c" } }), /mountPath/],
    ["a volume with an empty part", volume({ mountPath: "//workspace", configMap: { name: "c" } }), /mountPath/],
    ["a volume with a dot as part", volume({ mountPath: "/./bellhop/in", configMap: { name: "c" } }), /mountPath/],
    ["a volume with a hidden part", volume({ mountPath: "/cache/.x", configMap: { name: "c" } }), /mountPath/],
    ["a volume with nothing at its end", volume({ mountPath: "/bellhop/", configMap: { name: "c" } }), /mountPath/],
    ["a volume that climbs", volume({ mountPath: "/cache/../bellhop", configMap: { name: "c" } }), /mountPath/],
    ["an agent nobody knows", { agent: { ...minimalProfile.agent, type: "unknown" } }, /Unsupported value/],
  ])("refuse a profile with %s", async (_name, over, words) => {
    const spec = { ...minimalProfile, ...over };
    await invalid(client.create(profiles, { metadata: { name: "wrong", namespace }, spec }), words);
  });
});

describe("names", () => {
  it("of organisation and repositories are compared without case", async () => {
    const spec = { ...minimalIntegration, organization: "aCME", repositories: ["Acme/shop", "acme/till"] };
    await expect(client.create(integrations, { metadata: { name: "cased", namespace }, spec })).resolves.toMatchObject({
      spec,
    });
  });

  it.each(["/cache", "/home/agent/my.cache/a_b-c"])("of mount paths may be %s", async (mountPath) => {
    const sandbox = { volumes: [{ name: "v", mountPath, configMap: { name: "c" } }] };
    const draft = { metadata: { name: "mounted", namespace }, spec: { ...minimalProfile, sandbox } };
    await expect(client.create(profiles, draft)).resolves.toBeDefined();
  });
});

describe("defaults", () => {
  it.each([
    ["integration", integrations, minimalIntegration, gitHubIntegrationSpec],
    ["profile", profiles, minimalProfile, agentProfileSpec],
  ] as const)(
    "of the server equal those of the schema, for an %s with the required fields only",
    async (_name, type, spec, schema) => {
      const made = await client.create(type, { metadata: { name: "least", namespace }, spec });
      expect(made.spec).toEqual(schema.parse(spec));
      expect(made.spec).not.toEqual(spec);
    },
  );
});

describe("the status", () => {
  it("is ignored in a create or an update of the spec, and an update of the status changes no spec", async () => {
    const draft = { ...aPersonsTask(namespace), status: { phase: "Succeeded" as const } };
    const task = await client.create(AgentTaskKind, draft);
    expect(task.status).toBeUndefined();
    const sneaked = await client.mergePatch(AgentTaskKind, task.metadata, { status: { phase: "Succeeded" } });
    expect(sneaked.status).toBeUndefined();
    const other = { ...sneaked, spec: { ...task.spec, prompt: "Other." }, status: { phase: "Running" as const } };
    const written = await client.replaceStatus(AgentTaskKind, other);
    expect(written).toMatchObject({ status: { phase: "Running" }, spec: task.spec });
    expect(written.spec).toEqual(task.spec);
    expect(written.metadata.generation).toBe(task.metadata.generation);
  });

  it("has only known phases", async () => {
    const task = await client.create(AgentTaskKind, aPersonsTask(namespace));
    await invalid(
      client.mergePatch(AgentTaskKind, task.metadata, { status: { phase: "Odd" } }, { subresource: "status" }),
      /phase/,
    );
  });
});

describe("the output of kubectl", () => {
  const integrationColumns = ["Name", "Ready", "Reason", "Bot", "Suspended", "URL", "Last Task", "Age"];

  it("is a table of tasks with these columns, filled", async () => {
    const task = await client.create(AgentTaskKind, aPersonsTask(namespace, {}, "alice"));
    await client.replaceStatus(AgentTaskKind, {
      ...task,
      status: {
        phase: "Running",
        conversation: "kubernetes/1",
        requester: { id: "u-1", login: "alice" },
        attempts: [1, 2].map((number) => ({ number, podName: `${task.metadata.name}-sandbox-${number}` })),
        result: { changeURL: "https://github.com/acme/shop/pull/57", branch: "bellhop/1" },
      },
    });
    const table = await tableOf("agenttasks");
    expect(table.columns).toEqual(["Name", "Phase", "Integration", "Subject", "Actor", "Change", "Age"]);
    expect(table.wide).toEqual(["Command", "Conversation", "Branch", "Pod"]);
    expect(table.rows).toEqual([
      {
        Name: task.metadata.name,
        Phase: "Running",
        Integration: "shop",
        Subject: "acme/shop",
        Actor: "alice",
        Change: "https://github.com/acme/shop/pull/57",
        Age: expect.stringMatching(/^\d+s$/),
        Command: null,
        Conversation: "kubernetes/1",
        Branch: "bellhop/1",
        Pod: `${task.metadata.name}-sandbox-2`,
      },
    ]);
  });

  it.each([
    ...Object.values(integrationKinds).map(({ plural }) => ({ plural, columns: integrationColumns, wide: [] })),
    { plural: "agentprofiles", columns: ["Name", "Ready", "Reason", "Agent", "Age"], wide: ["Image"] },
  ])("is a table of $plural with its columns", async ({ plural, columns, wide }) => {
    expect(await tableOf(plural)).toMatchObject({ columns, wide });
  });

  it.each(kinds)("is in `kubectl explain` word for word: $kind", async ({ singular, description }) => {
    const words = await explain(singular);
    expect(flat(words)).toContain(flat(description));
  });

  it("is in `kubectl explain` for a field", async () => {
    expect(flat(await explain("agenttask.spec.conversation"))).toContain(
      flat("The issue, change or thread that the task belongs to, by the provider's ids, for example `9001#42`"),
    );
    expect(flat(await explain("agentprofile.spec.limits.stall"))).toContain(
      "Maximum time without a sign of work from the agent",
    );
  });
});

interface OpenAPI {
  components: { schemas: Record<string, { properties: { spec: { properties: object } } }> };
}

interface Table {
  columnDefinitions: { name: string; priority: number }[];
  rows: { cells: unknown[] }[];
}

async function tableOf(plural: string): Promise<{ columns: string[]; wide: string[]; rows: object[] }> {
  const path = `/apis/bellhop.dev/v1alpha1/namespaces/${namespace}/${plural}`;
  const table = (await raw(path, "application/json;as=Table;v=v1;g=meta.k8s.io")) as Table;
  const names = (wide: boolean) =>
    table.columnDefinitions.filter(({ priority }) => priority > 0 === wide).map(({ name }) => name);
  const rows = table.rows.map(({ cells }) =>
    Object.fromEntries(table.columnDefinitions.map(({ name }, at) => [name, cells[at]])),
  );
  return { columns: names(false), wide: names(true), rows };
}

/** Sends a GET that the client has no method for. After a change of CRDs the server answers 429 for a moment: clients such as kubectl then try again. */
async function raw(path: string, accept = "application/json"): Promise<unknown> {
  const dispatcher = new Agent({ connect: config.tls });
  const get = async (): Promise<object | undefined> => {
    const { statusCode, body } = await request(`${config.server}${path}`, { dispatcher, headers: { accept } });
    const answer = (await body.json()) as object;
    return statusCode === 429 ? undefined : { path, statusCode, answer };
  };
  try {
    const found = await eventually(get, { describe: `an answer to GET ${path} other than 429` });
    expect(found).toEqual({ path, statusCode: 200, answer: expect.anything() });
    return "answer" in found ? found.answer : undefined;
  } finally {
    await dispatcher.close();
  }
}

/** The server publishes a new CRD's schema a moment after it serves the kind. */
function explain(path: string): Promise<string> {
  const args = [`--kubeconfig=${kubeconfig}`, "explain", path];
  return eventually(
    () => execFileSync(tool("kubectl"), args, { encoding: "utf8", timeout: 20_000, stdio: ["ignore", "pipe", "pipe"] }),
    { describe: `kubectl explain ${path}`, everyMs: 500 },
  );
}

/** Joins lines, because kubectl breaks them. */
function flat(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

/** Expects 422 with a reason. */
async function invalid(promise: Promise<unknown>, words: RegExp): Promise<void> {
  const error: unknown = await promise.then(
    () => "it was taken",
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ status: 422, reason: "Invalid" });
  expect(String(error)).toMatch(words);
}
