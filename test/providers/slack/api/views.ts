import { viewView } from "../view/modal.ts";
import { newId } from "../state/world.ts";
import type { View } from "../state/world.ts";
import { blockFaults } from "./blocks.ts";
import { SlackFailure, invalidArguments } from "./failure.ts";
import { writing } from "./method.ts";
import type { Answer, BotCall, Method } from "./method.ts";

/** Modals. */
export const viewMethods: Method[] = [writing("views.open", [], open), writing("views.update", [], update)];

/** Slack's limit for a trigger. */
const triggerLifetimeMs = 3_000;

function open(call: BotCall): Answer {
  const { world, installation } = call;
  const trigger = call.params.required("trigger_id");
  const at = world.data.triggers.get(trigger);
  if (at === undefined) throw new SlackFailure("invalid_trigger_id");
  if (world.clock.now().getTime() - at > triggerLifetimeMs) throw new SlackFailure("expired_trigger_id");
  world.data.triggers.delete(trigger);
  const { app, team } = installation;
  const view: View = { id: newId(world.data, "V"), app, team, body: bodyOf(call) };
  world.data.views.push(view);
  return { view: viewView(call.world, view) };
}

function update(call: BotCall): Answer {
  const id = call.params.text("view_id");
  const view = call.world.data.views.find(
    (candidate) => candidate.id === id && candidate.app === call.installation.app,
  );
  if (!view) throw new SlackFailure("not_found");
  view.body = bodyOf(call);
  return { view: viewView(call.world, view) };
}

function bodyOf({ params }: BotCall): Record<string, unknown> {
  const body = params.json("view");
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalidArguments("[ERROR] missing required field: view");
  const view = body as Record<string, unknown>;
  const { type, title, blocks } = view as { type?: unknown; title?: { text?: unknown }; blocks?: unknown };
  const faults = Array.isArray(blocks)
    ? blockFaults(blocks as Record<string, unknown>[])
    : ["missing required field: blocks"];
  if (type !== "modal") faults.push(`unsupported type: ${String(type)}`);
  if (typeof title?.text !== "string" || title.text.length > 24) faults.push("title must be less than 25 characters");
  if (faults.length > 0) throw invalidArguments(...faults.map((fault) => `[ERROR] ${fault}`));
  return view;
}
