import { describe, expect, it } from "vitest";
import { gitHubIntegrationSpec, type GitHubIntegration } from "../../api/github-integration.ts";
import { covers, host, sharedHook } from "./scope.ts";

function integration(spec: object, installations?: string[]): GitHubIntegration {
  return {
    metadata: { name: "shop", namespace: "team" },
    spec: gitHubIntegrationSpec.parse({
      credentials: { token: { secretRef: { name: "bot", key: "token" } } },
      triggers: [{ name: "mention", mention: {} }],
      profileRef: { name: "default" },
      ...spec,
    }),
    ...(installations ? { status: { installations: installations.map((id) => ({ id, account: "acme" })) } } : {}),
  };
}

describe("covers", () => {
  const repository = { id: "5", host: "github.com", owner: "Acme", name: "Shop", private: true };
  it.each([
    ["any repository of the organisation, ignoring case", { organization: "acme" }, true],
    ["no repository of another organisation", { organization: "acme-2" }, false],
    ["a listed repository, ignoring case", { repositories: ["acme/shop"] }, true],
    ["no unlisted repository", { repositories: ["acme/shop-2"] }, false],
    [
      "no repository that the list leaves out of the organisation",
      { organization: "acme", repositories: ["acme/web"] },
      false,
    ],
    ["no listed repository of another organisation", { organization: "other", repositories: ["acme/shop"] }, false],
  ])("covers %s", (_, spec, expected) => {
    expect(covers(integration(spec), { repository })).toBe(expected);
  });

  it("covers a listed repository by its id once it was read: a renamed one stays covered, and another one under its name is not", () => {
    const listed = integration({ repositories: ["acme/shop", "acme/web"] });
    const status = { repositories: [{ name: "acme/shop", id: "5" }] };
    const known = { ...listed, status };
    expect(covers(known, { repository: { ...repository, name: "store" } })).toBe(true);
    expect(covers(known, { repository: { ...repository, id: "6" } })).toBe(false);
    expect(covers(known, { repository: { ...repository, id: "7", name: "web" } })).toBe(true);
    expect(covers(listed, { repository: { ...repository, id: "6" } })).toBe(true);
  });

  it("covers no event without a repository", () => {
    expect(covers(integration({ organization: "acme" }), {})).toBe(false);
    expect(covers(integration({ organization: "acme" }), { installationId: "7" })).toBe(false);
  });

  it("covers an App's deliveries only for installations that were found with the App's key", () => {
    const app = { appId: 12, privateKeySecretRef: { name: "app", key: "key" } };
    const spec = { organization: "acme", credentials: { app } };
    expect(covers(integration({ organization: "acme" }), { repository, installationId: "7" })).toBe(true);
    expect(covers(integration(spec), { repository, installationId: "7" })).toBe(false);
    expect(covers(integration(spec, []), { repository, installationId: "7" })).toBe(false);
    expect(covers(integration(spec, ["7"]), { repository, installationId: "7" })).toBe(true);
    expect(covers(integration(spec, ["7"]), { repository })).toBe(true);
    expect(covers(integration(spec, ["7"]), { repository, installationId: "8" })).toBe(false);
  });
});

describe("host", () => {
  it("is the host of the URL, with its port", () => {
    expect(host(integration({ organization: "acme" }))).toBe("github.com");
    expect(host(integration({ organization: "acme", url: "https://ghe.example.com:8443" }))).toBe(
      "ghe.example.com:8443",
    );
  });

  it.each(["https://a:99999", "https://1.2.3.999", "https://[x]", "https://%"])(
    "is the text of the invalid URL %s, without an exception",
    (url) => {
      const bad = integration({ organization: "acme" });
      bad.spec.url = url;
      expect(host(bad)).toBe(url.slice("https://".length));
    },
  );
});

describe("sharedHook", () => {
  it("is the same for all integrations of an App, and undefined for tokens", () => {
    const app = { appId: 12, privateKeySecretRef: { name: "app", key: "key" } };
    expect(sharedHook(integration({ organization: "acme", credentials: { app } }))).toBe("github.com/apps/12");
    expect(sharedHook(integration({ organization: "acme" }))).toBeUndefined();
  });
});
