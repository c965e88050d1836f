import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as AjvPackage from "ajv";
import type { Violation } from "../stand-in/checked-calls.ts";
import { errorsIn } from "../stand-in/load-spec.ts";
import type { Delivery } from "./state/deliveries.ts";

const folder = new URL("../../../../shared/fixtures/slack/spec/", import.meta.url);
const wrapperFile = new URL("slack_common_event_wrapper_schema.json", folder);
const topicsFile = new URL("slack_events_api_async_v1.json", folder);

interface Schema {
  required: string[];
}

let check: ((delivery: Delivery) => string[]) | undefined;

/** Checks events against Slack's schema of their common fields, and their types against the list of events. Checks nothing without the files. */
export function eventFaults(deliveries: Delivery[]): Violation[] {
  if (!existsSync(wrapperFile) || !existsSync(topicsFile)) return [];
  check ??= load();
  const events = deliveries.filter(({ kind }) => kind === "event");
  return events.flatMap((delivery) =>
    (check?.(delivery) ?? []).map((message) => ({ side: "event", subject: delivery.type, message })),
  );
}

function load(): (delivery: Delivery) => string[] {
  const schema = JSON.parse(readFileSync(wrapperFile, "utf8")) as Schema;
  // Since 2021 events have `authorizations` instead.
  schema.required = schema.required.filter((field) => field !== "authed_users");
  const { topics } = JSON.parse(readFileSync(topicsFile, "utf8")) as { topics: Record<string, unknown> };
  const { Ajv } = createRequire(import.meta.url)("ajv") as typeof AjvPackage;
  const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);
  return ({ payload, type }) => {
    const known = topics[type.replaceAll("_", ".")] === undefined ? [`is not an event of Slack`] : [];
    return validate(payload) ? known : [...known, ...errorsIn(validate)];
  };
}
