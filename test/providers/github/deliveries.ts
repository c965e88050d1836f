import { createHmac, randomUUID } from "node:crypto";
import { roleNeeded } from "./event-permissions.ts";
import { send } from "./send.ts";
import { covers } from "./state/find.ts";
import type { App, Installation } from "./state/accounts.ts";
import type { Delivery, Hook } from "./state/hooks.ts";
import { newDeliveryId, stamp } from "./state/world.ts";
import type { WebhookEvent, World } from "./state/world.ts";
import { viewOrganization, viewAccount } from "./view/account.ts";
import { viewRepository } from "./view/repository.ts";
import { nodeId } from "./view/urls.ts";

/** Settings for deliveries. */
export interface DeliverySettings {
  /** Time-out of a receiver; GitHub's is 10 s. */
  timeoutMs: number;
  /** Recorded as `status_code` if there is no answer. */
  unreachableStatusCode: number;
  /** PEM certificates to trust in addition to the system's. */
  ca: string | undefined;
}

/** Sends each event to its hooks once, and records the outcome. */
export interface Deliveries {
  emit(webhookEvent: WebhookEvent): void;
  /** Sends a delivery again with its guid, as a new entry of the list. */
  redeliver(delivery: Delivery): void;
  /** Resolves once no delivery is in progress. */
  settled(): Promise<void>;
}

/** Events that an App receives without a subscription. */
const always = ["installation", "installation_repositories", "ping", "github_app_authorization"];

/** Creates the sender. It never retries, like GitHub. */
export function createDeliveries(world: World, settings: DeliverySettings): Deliveries {
  const underWay = new Set<Promise<void>>();
  const track = (work: Promise<void>): void => {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  };
  return {
    emit(webhookEvent) {
      const guid = randomUUID();
      for (const { hook, installation } of receivers(world, webhookEvent)) {
        const delivery = newDelivery(world, hook, guid, { ...webhookEvent, ...(installation && { installation }) });
        track(attempt(world, settings, hook, delivery));
      }
    },
    redeliver(delivery) {
      const hook = world.data.hooks.find((candidate) => candidate.id === delivery.hookId);
      if (!hook) return;
      const again: Delivery = { ...delivery, id: newDeliveryId(world), redelivery: true };
      world.data.deliveries.push(again);
      track(attempt(world, settings, hook, again));
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function receivers(
  world: World,
  webhookEvent: WebhookEvent,
): { hook: Hook; installation?: Installation | undefined }[] {
  if (webhookEvent.onlyHook) return [{ hook: webhookEvent.onlyHook }];
  return world.data.hooks.flatMap((hook) => {
    if (!hook.active || hook.config.url === "") return [];
    if (hook.target === "integration") return appReceiver(world, hook, webhookEvent);
    if (webhookEvent.onlyApp || !wants(hook.events, webhookEvent.event)) return [];
    const { repo } = webhookEvent;
    const mine = hook.target === "repository" ? repo?.id === hook.targetId : repo?.owner.id === hook.targetId;
    return mine ? [{ hook }] : [];
  });
}

function appReceiver(
  world: World,
  hook: Hook,
  webhookEvent: WebhookEvent,
): { hook: Hook; installation?: Installation | undefined }[] {
  const app = world.data.apps.find((candidate) => candidate.id === hook.targetId);
  if (!app || (webhookEvent.onlyApp && webhookEvent.onlyApp !== app)) return [];
  if (webhookEvent.installation) return webhookEvent.onlyApp === app ? [{ hook }] : [];
  const installation = installationOf(world, app, webhookEvent);
  if (!installation || installation.suspendedAt !== null) return [];
  const subscribed = always.includes(webhookEvent.event) || wants(installation.events, webhookEvent.event);
  const permission = roleNeeded(webhookEvent.event);
  const allowed = permission.length === 0 || permission.some((name) => installation.permissions[name] !== undefined);
  return subscribed && allowed ? [{ hook, installation }] : [];
}

function installationOf(world: World, app: App, webhookEvent: WebhookEvent): Installation | undefined {
  const { repo } = webhookEvent;
  return world.data.installations.find(
    (installation) => installation.app === app && repo && covers(installation, repo),
  );
}

function wants(events: string[], event: string): boolean {
  return events.includes("*") || events.includes(event);
}

function newDelivery(world: World, hook: Hook, guid: string, webhookEvent: WebhookEvent): Delivery {
  const delivery: Delivery = {
    id: newDeliveryId(world),
    guid,
    hookId: hook.id,
    event: webhookEvent.event,
    action: webhookEvent.action ?? null,
    installationId: webhookEvent.installation?.id ?? null,
    repositoryId: webhookEvent.repo?.id ?? null,
    redelivery: false,
    deliveredAt: stamp(world.clock.now()),
    duration: 0,
    status: "pending",
    statusCode: 0,
    request: { headers: {}, payload: payloadFor(world, webhookEvent) },
    response: { headers: {}, payload: "" },
  };
  world.data.deliveries.push(delivery);
  return delivery;
}

function payloadFor(world: World, webhookEvent: WebhookEvent): Record<string, unknown> {
  const { repo, installation, action } = webhookEvent;
  return {
    ...(action !== undefined && { action }),
    ...webhookEvent.payload,
    ...(repo && { repository: viewRepository(world, repo) }),
    ...(repo?.owner.type === "Organization" && { organization: viewOrganization(world, repo.owner) }),
    sender: viewAccount(world, webhookEvent.sender),
    ...(installation &&
      !("installation" in webhookEvent.payload) && {
        installation: { id: installation.id, node_id: nodeId("IntegrationInstallation", installation.id) },
      }),
  };
}

async function attempt(world: World, settings: DeliverySettings, hook: Hook, delivery: Delivery): Promise<void> {
  const json = JSON.stringify(delivery.request.payload);
  const form = hook.config.content_type === "form";
  const body = form ? new URLSearchParams({ payload: json }).toString() : json;
  delivery.request = { headers: headersFor(world, hook, delivery, body), payload: delivery.request.payload };
  delivery.deliveredAt = stamp(world.clock.now());
  const startedMs = Date.now();
  const verify = hook.config.insecure_ssl !== "1";
  const outcome = await send(world.clock, {
    url: hook.config.url,
    headers: delivery.request.headers,
    body,
    timeoutMs: settings.timeoutMs,
    verify,
    ca: settings.ca,
  });
  delivery.duration = (Date.now() - startedMs) / 1000;
  delivery.status = outcome.status;
  delivery.statusCode = outcome.code ?? settings.unreachableStatusCode;
  delivery.response = { headers: outcome.headers, payload: outcome.body };
  const ok = delivery.statusCode >= 200 && delivery.statusCode < 400;
  hook.lastResponse = { code: delivery.statusCode, status: ok ? "active" : "misconfigured", message: outcome.status };
}

function headersFor(world: World, hook: Hook, delivery: Delivery, body: string): Record<string, string> {
  const { secret } = hook.config;
  const mac = (algorithm: string): string =>
    createHmac(algorithm, secret ?? "")
      .update(body)
      .digest("hex");
  const form = hook.config.content_type === "form";
  return {
    accept: "*/*",
    "content-type": form ? "application/x-www-form-urlencoded" : "application/json",
    "User-Agent": "GitHub-Hookshot/5ca1ab1",
    "X-GitHub-Delivery": delivery.guid,
    "X-GitHub-Enterprise-Host": new URL(world.baseUrl()).host,
    "X-GitHub-Enterprise-Version": "3.19.0",
    "X-GitHub-Event": delivery.event,
    "X-GitHub-Hook-ID": String(hook.id),
    "X-GitHub-Hook-Installation-Target-ID": String(hook.targetId),
    "X-GitHub-Hook-Installation-Target-Type": hook.target,
    ...(secret && { "X-Hub-Signature": `sha1=${mac("sha1")}`, "X-Hub-Signature-256": `sha256=${mac("sha256")}` }),
  };
}
