import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as AjvPackage from "ajv";
import type { Violation } from "../stand-in/checked-calls.ts";
import { errorsIn, specLoader } from "../stand-in/load-spec.ts";
import { newerErrors, newerMethods, newerOptional, newerParams } from "./newer-than-spec.ts";

/** The path of Slack's own API description (of 2021) beside a checkout. A user's clone does not have it. */
export const specFile = new URL("../../../../shared/fixtures/slack/spec/slack_web_openapi_v2.json", import.meta.url);

/** A call and its answer, to check against the description. */
export interface Exchange {
  method: string;
  /** The arguments: texts of a form, or values of a JSON body. */
  params: Record<string, unknown>;
  /** Whether the body was JSON. */
  json: boolean;
  answer: Record<string, unknown>;
}

/** Checks exchanges against the methods of the description. */
export interface SpecCheck {
  check(exchange: Exchange): Violation[];
  /** The methods of the description. */
  methods: Set<string>;
}

type Json = Record<string, unknown>;

interface Operation {
  consumes: string[];
  parameters: { name: string; in: string; type?: string; required?: boolean }[];
  responses: Record<string, { schema?: Json }>;
}

/** Whether the file with the description exists. */
export function specPresent(): boolean {
  return existsSync(specFile);
}

/** Loads the description; see `specLoader`. */
export const loadSpec = specLoader({ provider: "Slack", file: specFile, read: readSpec });

function readSpec(file: URL): SpecCheck {
  const spec = JSON.parse(readFileSync(file, "utf8")) as Json;
  loosen(spec);
  correct(spec);
  // Loaded only when needed, because the image of the stand-ins has neither this package nor the description.
  const { Ajv } = createRequire(import.meta.url)("ajv") as typeof AjvPackage;
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, inlineRefs: false });
  ajv.addSchema(spec, "slack");
  const paths = spec["paths"] as Record<string, Record<string, Operation>>;
  const operation = (method: string): [string, Operation] | undefined => Object.entries(paths[`/${method}`] ?? {})[0];
  const faultsOf = (method: string, answer: Json): string[] => {
    const verb = operation(method)?.[0] ?? "";
    const validate = ajv.compile({ $ref: `slack#/paths/~1${method}/${verb}/responses/200/schema` });
    return validate(answer) ? [] : errorsIn(validate);
  };
  return {
    methods: new Set(Object.keys(paths).map((path) => path.slice(1))),
    check(exchange) {
      const found = operation(exchange.method);
      const side = (name: Violation["side"], messages: string[]): Violation[] =>
        messages.map((message) => ({ side: name, subject: exchange.method, message }));
      if (!found) return side("request", undescribed(exchange.method));
      const ok = exchange.answer["ok"] === true;
      return [
        // Tests may send invalid arguments to get a refusal, so only accepted calls are checked.
        ...side("request", ok ? requestFaults(found[1], exchange) : []),
        ...side("response", ok ? faultsOf(exchange.method, exchange.answer) : errorFaults(found[1], exchange.answer)),
      ];
    },
  };
}

function undescribed(method: string): string[] {
  return newerMethods[method] === undefined ? ["is not in the description"] : [];
}

/** Finds unknown and missing arguments, values of the wrong type, and JSON for a method that accepts only forms. */
function requestFaults({ consumes, parameters }: Operation, { method, params, json }: Exchange): string[] {
  const newer = { ...newerParams["*"], ...newerParams[method] };
  const unknown = Object.keys(params).filter(
    (name) => newer[name] === undefined && !parameters.some((parameter) => parameter.name === name),
  );
  const missing = parameters.filter(
    ({ name, required }) =>
      required === true &&
      name !== "token" &&
      params[name] === undefined &&
      newerOptional[method]?.[name] === undefined,
  );
  const wrong = parameters.filter(({ name, type }) => params[name] !== undefined && !fits(type, params[name]));
  return [
    ...(json && !consumes.includes("application/json") ? ["accepts no JSON body"] : []),
    ...unknown.map((name) => `has no argument ${name}`),
    ...missing.map(({ name }) => `requires the argument ${name}`),
    ...wrong.map(({ name, type }) => `${name} must be ${type ?? ""}`),
  ];
}

function fits(type: string | undefined, value: unknown): boolean {
  const text = String(value);
  if (type === "boolean") return /^(true|false|1|0)$/.test(text);
  if (type === "integer") return /^\d+$/.test(text);
  return type === "number" ? /^\d+(\.\d+)?$/.test(text) : true;
}

function errorFaults({ responses }: Operation, answer: Json): string[] {
  const schema = responses["default"]?.schema as { properties?: { error?: { enum?: string[] } } } | undefined;
  const listed = schema?.properties?.error?.enum;
  const error = String(answer["error"]);
  if (!listed || listed.includes(error) || newerErrors[error] !== undefined) return [];
  return [`may not answer the error ${error}`];
}

/**
 * Corrects two errors of the description: the blocks of the message that `chat.update` returns are a list, not an object; and the first message
 * that `conversations.replies` returns has fields of a thread only if it has replies.
 */
function correct(spec: Json): void {
  const paths = spec["paths"] as Record<string, Record<"get" | "post", Operation>>;
  const updated = paths["/chat.update"]?.post.responses["200"]?.schema as { properties: { message: Json } } | undefined;
  const fields = updated?.properties.message["properties"] as Record<string, Json> | undefined;
  if (fields) fields["blocks"] = { $ref: "slack#/definitions/blocks" };
  const replies = paths["/conversations.replies"]?.get.responses["200"]?.schema as
    | { properties: { messages: { items: { anyOf?: Json[] } } } }
    | undefined;
  for (const message of replies?.properties.messages.items.anyOf ?? []) message["required"] = ["text", "ts", "type"];
}

/**
 * Makes the description fit JSON Schema and today's answers: `items` with a list and no `type` means "one of these", and answers may have
 * fields that are newer than the description.
 */
function loosen(node: unknown): void {
  if (Array.isArray(node)) node.forEach(loosen);
  if (typeof node !== "object" || node === null || Array.isArray(node)) return;
  const schema = node as Json;
  if (schema["additionalProperties"] === false) delete schema["additionalProperties"];
  if (Array.isArray(schema["items"]) && schema["type"] === undefined) {
    schema["anyOf"] = schema["items"];
    delete schema["items"];
  }
  Object.values(schema).forEach(loosen);
}
