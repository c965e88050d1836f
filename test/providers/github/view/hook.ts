import type { Delivery, Hook, HookConfig } from "../state/hooks.ts";
import type { World } from "../state/world.ts";
import { api } from "./urls.ts";

/** GitHub's schema `webhook-config`; the secret is masked. */
export function viewHookConfig(config: HookConfig): Record<string, unknown> {
  const { secret, ...rest } = config;
  return secret ? { ...rest, secret: "********" } : rest;
}

/** GitHub's schema `hook` of a repository, or `org-hook`. */
export function viewHook(world: World, hook: Hook): Record<string, unknown> {
  const url = api(world, `${hookOwner(world, hook)}/hooks/${hook.id}`);
  const shared = {
    type: hook.target === "repository" ? "Repository" : "Organization",
    id: hook.id,
    name: "web",
    active: hook.active,
    events: hook.events,
    config: viewHookConfig(hook.config),
    updated_at: hook.updatedAt,
    created_at: hook.createdAt,
    url,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
  };
  return hook.target === "repository"
    ? { ...shared, test_url: `${url}/test`, last_response: hook.lastResponse }
    : shared;
}

/** Writes any number of digits as a JSON number. JavaScript has this function, but our TypeScript does not know it yet. */
const { rawJSON } = JSON as typeof JSON & { rawJSON(digits: string): unknown };

/** GitHub's schema `hook-delivery-item`. */
export function viewDeliveryItem(delivery: Delivery): Record<string, unknown> {
  return {
    id: rawJSON(delivery.id),
    guid: delivery.guid,
    delivered_at: delivery.deliveredAt,
    redelivery: delivery.redelivery,
    duration: delivery.duration,
    status: delivery.status,
    status_code: delivery.statusCode,
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installationId,
    repository_id: delivery.repositoryId,
    throttled_at: null,
  };
}

/** GitHub's schema `hook-delivery`. */
export function viewDelivery(delivery: Delivery, url: string): Record<string, unknown> {
  const { request, response } = delivery;
  return {
    ...viewDeliveryItem(delivery),
    url,
    request: { headers: request.headers, payload: request.payload },
    response: { headers: response.headers, payload: response.payload },
  };
}

function hookOwner(world: World, hook: Hook): string {
  if (hook.target === "integration") return "/app";
  if (hook.target === "organization") {
    return `/orgs/${world.data.accounts.find((account) => account.id === hook.targetId)?.login ?? ""}`;
  }
  const repo = world.data.repositories.find((candidate) => candidate.id === hook.targetId);
  return `/repos/${repo?.owner.login ?? ""}/${repo?.name ?? ""}`;
}
