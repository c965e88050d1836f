import { findAccount } from "../state/find.ts";
import type { Hook } from "../state/hooks.ts";
import { newId, timestamp } from "../state/world.ts";
import { viewHook, viewHookConfig } from "../view/hook.ts";
import { changeConfig, getDelivery, listDeliveries, redeliver } from "./app-hook.ts";
import { optionalString, record, stringList } from "./body.ts";
import { HttpFailure, invalid, notFound } from "./failure.ts";
import { pageOf } from "./page.ts";
import { actorOf } from "../auth.ts";
import { created, noContent, ok, on, onRepo } from "./route.ts";
import type { Answer, Call, RepoCall, Route } from "./route.ts";

/** Webhooks of repositories and organisations: the same operations under two paths. */
export const hookRoutes: Route[] = [
  ...operations("/repos/{owner}/{repo}/hooks").map(([operation, level, handle]) =>
    onRepo(operation, `${level}:repository_hooks`, handle),
  ),
  ...operations("/orgs/{org}/hooks").map(([operation, level, handle]) => on(operation, `org:${level}`, handle)),
];

type Operation = [operation: string, level: "read" | "write", handle: (call: Call) => Answer];

function operations(root: string): Operation[] {
  return [
    [`GET ${root}`, "read", list],
    [`POST ${root}`, "write", create],
    [`GET ${root}/{hook_id}`, "read", (call) => ok(viewHook(call.world, hookOf(call)))],
    [`PATCH ${root}/{hook_id}`, "write", update],
    [`DELETE ${root}/{hook_id}`, "write", remove],
    [`GET ${root}/{hook_id}/config`, "read", (call) => ok(viewHookConfig(hookOf(call).config))],
    [`PATCH ${root}/{hook_id}/config`, "write", updateConfig],
    [`POST ${root}/{hook_id}/pings`, "write", ping],
    [`GET ${root}/{hook_id}/deliveries`, "read", (call) => listDeliveries(call, hookOf(call))],
    [`GET ${root}/{hook_id}/deliveries/{delivery_id}`, "read", (call) => getDelivery(call, hookOf(call))],
    [`POST ${root}/{hook_id}/deliveries/{delivery_id}/attempts`, "write", (call) => redeliver(call, hookOf(call))],
  ];
}

function owner(call: Call): Pick<Hook, "target" | "targetId"> {
  if ("repo" in call) return { target: "repository", targetId: (call as RepoCall).repo.id };
  return { target: "organization", targetId: findAccount(call.world, call.params["org"] ?? "")?.id ?? 0 };
}

function hooksOf(call: Call): Hook[] {
  const { target, targetId } = owner(call);
  return call.world.data.hooks.filter((hook) => hook.target === target && hook.targetId === targetId);
}

function hookOf(call: Call): Hook {
  const hook = hooksOf(call).find((candidate) => candidate.id === Number(call.params["hook_id"]));
  if (!hook) throw notFound();
  return hook;
}

function list(call: Call): Answer {
  return pageOf(call, hooksOf(call), (items) => items.map((hook) => viewHook(call.world, hook)));
}

function create(call: Call): Answer {
  const config = record(call.body["config"]);
  const url = config["url"];
  if (typeof url !== "string" || !URL.canParse(url)) throw invalid("Hook", "url", "missing_field");
  const known = hooksOf(call);
  const contentType = optionalString(config, "content_type") ?? "form";
  if (known.some((hook) => hook.config.url === url && hook.config.content_type === contentType)) {
    throw new HttpFailure(422, "Validation Failed", {
      errors: [{ resource: "Hook", code: "custom", message: "Hook already exists on this repository" }],
    });
  }
  if (known.length >= 20) throw invalid("Hook", "base", "custom", 'The "push" event cannot have more than 20 hooks');
  const now = timestamp(call.world);
  const hook: Hook = {
    id: newId(call.world),
    ...owner(call),
    config: { url, content_type: contentType, secret: null, insecure_ssl: "0" },
    events: stringList(call.body["events"]) ?? ["push"],
    active: call.body["active"] !== false,
    createdAt: now,
    updatedAt: now,
    lastResponse: { code: null, status: "unused", message: null },
  };
  changeConfig(call, hook, config);
  call.world.data.hooks.push(hook);
  sendPing(call, hook);
  return created(viewHook(call.world, hook));
}

function update(call: Call): Answer {
  const hook = hookOf(call);
  const { body } = call;
  if (body["config"] !== undefined) replaceConfig(call, hook, record(body["config"]));
  const events = new Set(stringList(body["events"]) ?? hook.events);
  for (const event of stringList(body["add_events"]) ?? []) events.add(event);
  for (const event of stringList(body["remove_events"]) ?? []) events.delete(event);
  hook.events = [...events];
  if (typeof body["active"] === "boolean") hook.active = body["active"];
  hook.updatedAt = timestamp(call.world);
  return ok(viewHook(call.world, hook));
}

/** `PATCH …/hooks/{id}` replaces the whole config: it removes the secret if the request has none. Source: GitHub's description. */
function replaceConfig(call: Call, hook: Hook, config: Record<string, unknown>): void {
  hook.config = { url: hook.config.url, content_type: "form", secret: null, insecure_ssl: "0" };
  changeConfig(call, hook, config);
}

function updateConfig(call: Call): Answer {
  const hook = hookOf(call);
  changeConfig(call, hook, call.body);
  return ok(viewHookConfig(hook.config));
}

function remove(call: Call): Answer {
  const hook = hookOf(call);
  call.world.data.hooks = call.world.data.hooks.filter((other) => other !== hook);
  return noContent;
}

function ping(call: Call): Answer {
  sendPing(call, hookOf(call));
  return noContent;
}

function sendPing(call: Call, hook: Hook): void {
  const payload = { zen: "Keep it logically awesome.", hook_id: hook.id, hook: viewHook(call.world, hook) };
  const repo = "repo" in call ? { repo: (call as RepoCall).repo } : {};
  call.world.emit({ event: "ping", onlyHook: hook, ...repo, sender: actorOf(call.identity).account, payload });
}
