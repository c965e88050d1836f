import { createHmac, randomUUID } from "node:crypto";
import { roleNeeded } from "./event-permissions.ts";
import { send } from "./send.ts";
import { covers } from "./state/find.ts";
import type { App, Installation } from "./state/accounts.ts";
import type { Delivery, Hook } from "./state/hooks.ts";
import { newDeliveryId, stamp } from "./state/world.ts";
import type { Happening, World } from "./state/world.ts";
import { viewOrganization, viewAccount } from "./view/account.ts";
import { viewRepository } from "./view/repository.ts";
import { nodeId } from "./view/urls.ts";

/** How deliveries are made. */
export interface DeliverySettings {
  /** How long a receiver may take; GitHub's own is 10 s. */
  timeoutMs: number;
  /** Recorded as `status_code` where no answer came. */
  unreachableStatusCode: number;
  /** PEM certificates trusted beside the system's. */
  ca: string | undefined;
}

/** Sends happenings to hooks, once each, and remembers how it went. */
export interface Deliveries {
  emit(happening: Happening): void;
  /** Sends a delivery again with its guid; a new entry of the list. */
  redeliver(delivery: Delivery): void;
  /** Resolves once every delivery under way has ended. */
  settled(): Promise<void>;
}

/** Sent whatever the App subscribed to. */
const always = ["installation", "installation_repositories", "ping", "github_app_authorization"];

/** Makes the sender. Nothing is ever retried, as at GitHub. */
export function createDeliveries(world: World, settings: DeliverySettings): Deliveries {
  const underWay = new Set<Promise<void>>();
  const track = (work: Promise<void>): void => {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  };
  return {
    emit(happening) {
      const guid = randomUUID();
      for (const { hook, installation } of receivers(world, happening)) {
        const delivery = newDelivery(world, hook, guid, { ...happening, ...(installation && { installation }) });
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

function receivers(world: World, happening: Happening): { hook: Hook; installation?: Installation | undefined }[] {
  if (happening.onlyHook) return [{ hook: happening.onlyHook }];
  return world.data.hooks.flatMap((hook) => {
    if (!hook.active || hook.config.url === "") return [];
    if (hook.target === "integration") return appReceiver(world, hook, happening);
    if (happening.onlyApp || !wants(hook.events, happening.event)) return [];
    const { repo } = happening;
    const mine = hook.target === "repository" ? repo?.id === hook.targetId : repo?.owner.id === hook.targetId;
    return mine ? [{ hook }] : [];
  });
}

function appReceiver(
  world: World,
  hook: Hook,
  happening: Happening,
): { hook: Hook; installation?: Installation | undefined }[] {
  const app = world.data.apps.find((candidate) => candidate.id === hook.targetId);
  if (!app || (happening.onlyApp && happening.onlyApp !== app)) return [];
  if (happening.installation) return happening.onlyApp === app ? [{ hook }] : [];
  const installation = installationOf(world, app, happening);
  if (!installation || installation.suspendedAt !== null) return [];
  const subscribed = always.includes(happening.event) || wants(installation.events, happening.event);
  const permission = roleNeeded(happening.event);
  const allowed = permission.length === 0 || permission.some((name) => installation.permissions[name] !== undefined);
  return subscribed && allowed ? [{ hook, installation }] : [];
}

function installationOf(world: World, app: App, happening: Happening): Installation | undefined {
  const { repo } = happening;
  return world.data.installations.find(
    (installation) => installation.app === app && repo && covers(installation, repo),
  );
}

function wants(events: string[], event: string): boolean {
  return events.includes("*") || events.includes(event);
}

function newDelivery(world: World, hook: Hook, guid: string, happening: Happening): Delivery {
  const delivery: Delivery = {
    id: newDeliveryId(world),
    guid,
    hookId: hook.id,
    event: happening.event,
    action: happening.action ?? null,
    installationId: happening.installation?.id ?? null,
    repositoryId: happening.repo?.id ?? null,
    redelivery: false,
    deliveredAt: stamp(world.clock.now()),
    duration: 0,
    status: "pending",
    statusCode: 0,
    request: { headers: {}, payload: payloadFor(world, happening) },
    response: { headers: {}, payload: "" },
  };
  world.data.deliveries.push(delivery);
  return delivery;
}

function payloadFor(world: World, happening: Happening): Record<string, unknown> {
  const { repo, installation, action } = happening;
  return {
    ...(action !== undefined && { action }),
    ...happening.payload,
    ...(repo && { repository: viewRepository(world, repo) }),
    ...(repo?.owner.type === "Organization" && { organization: viewOrganization(world, repo.owner) }),
    sender: viewAccount(world, happening.sender),
    ...(installation &&
      !("installation" in happening.payload) && {
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
