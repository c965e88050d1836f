import { createHmac } from "node:crypto";
import { gitHubIntegrationSpec, type GitHubIntegration } from "../api/github-integration.ts";
import type { ProviderEvent } from "../integrations/event.ts";
import type { Delivery } from "../integrations/ingress.ts";
import type { StoredIntegration } from "./choose-integration.ts";
import type { RouteEntry } from "./gateway-keys.ts";
import { defined } from "../shared/defined.ts";

// Builders for tests of intake and gateway.

/** The current key of the hook of `anEntry`. */
export const hookKey = Buffer.from("the-current-hook-secret");
export const previousHookKey = Buffer.from("the-previous-hook-secret");
export const route = "route-0123456789abcdef";

/** An integration as the API server stores it, with the defaults of its schema. */
export function anIntegration(
  over: {
    name?: string;
    namespace?: string;
    uid?: string;
    spec?: object;
    status?: object;
    deletionTimestamp?: string;
  } = {},
): GitHubIntegration & StoredIntegration {
  const { name = "shop", namespace = "team", uid = `uid-of-${name}` } = over;
  return {
    kind: "GitHubIntegration",
    metadata: {
      name,
      namespace,
      uid,
      ...defined({ deletionTimestamp: over.deletionTimestamp }),
    },
    spec: gitHubIntegrationSpec.parse({
      organization: "acme",
      credentials: { token: { secretRef: { name: "bot", key: "token" } } },
      triggers: [{ name: "mention", mention: {} }],
      profileRef: { name: "default" },
      ...over.spec,
    }),
    status: { bot: { id: "99", login: "bellhop[bot]", mention: "bellhop" }, ...over.status },
  };
}

/** A comment that mentions the bot. */
export function anEvent(over: Partial<ProviderEvent> = {}): ProviderEvent {
  return {
    provider: "github",
    instance: "github.com",
    event: "issue_comment",
    action: "created",
    deliveryId: "guid-1",
    cause: "issue_comment/7001",
    url: "https://github.com/acme/shop/issues/42#issuecomment-7001",
    subject: { type: "Issue", key: "acme/shop#42", number: 42, title: "Broken" },
    object: { type: "IssueComment", id: "7001" },
    conversation: "acme/shop#42",
    actor: { id: "1", login: "ada", isBot: false },
    repository: { id: "5", host: "github.com", owner: "acme", name: "shop", private: true },
    text: "@bellhop fix it",
    visibleText: over.text ?? "@bellhop fix it",
    signals: [{ kind: "mention", words: "fix it" }],
    ...over,
  };
}

/** The hook of `anIntegration`. */
export function anEntry(over: Partial<RouteEntry> = {}): RouteEntry {
  return {
    route,
    provider: "github",
    host: "github.com",
    generation: 1,
    keys: [hookKey.toString("base64"), previousHookKey.toString("base64")],
    members: [{ kind: "GitHubIntegration", namespace: "team", name: "shop", uid: "uid-of-shop" }],
    ...over,
  };
}

/** The payload of a comment, as GitHub sends it. */
export function aComment(over: { id?: number; body?: string; owner?: string; repository?: string } = {}): object {
  const { id = 7001, body = "@bellhop fix it", owner = "acme", repository = "shop" } = over;
  const ada = { id: 1, login: "ada", type: "User" };
  return {
    action: "created",
    repository: { id: 5, name: repository, private: true, owner: { login: owner } },
    sender: ada,
    issue: { id: 4200, number: 42, title: "Broken", body: "It is.", user: ada },
    comment: { id, body, html_url: `https://github.com/acme/shop/issues/42#issuecomment-${id}`, user: ada },
  };
}

/** The headers of a delivery as GitHub sends them, with a signature of `body`. */
export function signedHeaders(
  body: string | Uint8Array,
  over: { key?: Uint8Array; event?: string; deliveryId?: string } = {},
): Record<string, string> {
  const digest = createHmac("sha256", over.key ?? hookKey)
    .update(body)
    .digest("hex");
  return {
    "content-type": "application/json",
    "x-github-event": over.event ?? "issue_comment",
    "x-github-delivery": over.deliveryId ?? "guid-1",
    "x-hub-signature-256": `sha256=${digest}`,
  };
}

/** A delivery of `body`, signed unless `headers` are given. */
export function aDelivery(body: string | object, headers?: Record<string, string>): Delivery {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const all = headers ?? signedHeaders(text);
  return {
    body: Buffer.from(text),
    receivedAt: new Date("2026-01-02T12:00:00Z"),
    headers: { get: (name) => all[name.toLowerCase()] },
  };
}
