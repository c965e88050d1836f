import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as AjvPackage from "ajv";
import type { Violation } from "./call-log.ts";

/** Where GitHub's own description lies beside a checkout; absent in a user's clone. */
export const specFile = new URL("../../../../shared/fixtures/github/spec/openapi-subset.json", import.meta.url);

/** One exchange to hold against the description. */
export interface Exchange {
  /** `METHOD /path/{parameter}`. */
  operation: string;
  query: URLSearchParams;
  /** Undefined where none was sent. */
  requestBody: unknown;
  status: number;
  responseBody: unknown;
}

/** Checks exchanges against the operations the description has; says nothing about others. */
export interface SpecCheck {
  check(exchange: Exchange): Violation[];
  /** The operations it knows, as `METHOD /path/{parameter}`. */
  operations: Set<string>;
}

type Json = Record<string, unknown>;

/** Whether the description is there to check with. */
export function specPresent(): boolean {
  return existsSync(specFile);
}

let loaded: SpecCheck | undefined;

/** Reads the description once for the whole process (it is large), or gives undefined where it is not there. */
export function loadSpec(): SpecCheck | undefined {
  if (specPresent()) loaded ??= readSpec();
  return loaded;
}

function readSpec(): SpecCheck {
  const spec = JSON.parse(readFileSync(specFile, "utf8")) as Json;
  makeNullable(spec);
  // Only where they are needed: the image of the stand-in has neither these packages nor the description.
  const require = createRequire(import.meta.url);
  const { Ajv } = require("ajv") as typeof AjvPackage;
  const addFormats = require("ajv-formats") as (ajv: AjvPackage.Ajv) => void;
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    validateFormats: true,
    inlineRefs: false,
    code: { optimize: false },
  });
  addFormats(ajv);
  ajv.addFormat("repo.nwo", /^[^/]+\/[^/]+$/);
  ajv.addSchema(spec, "gh");
  const compiled = new Map<string, AjvPackage.ValidateFunction>();
  const validator = (pointer: string): AjvPackage.ValidateFunction => {
    const known = compiled.get(pointer) ?? ajv.compile({ $ref: `gh#${pointer}` });
    compiled.set(pointer, known);
    return known;
  };
  return { check: (exchange) => check(spec, validator, exchange), operations: operationsOf(spec) };
}

/** Another fault of the description: the head of a pull request whose fork was deleted has `repo: null`, as webhooks' schema says. */
const deletedFork = /^(\/\d+)?\/head\/repo must be object$/;

type Validator = (pointer: string) => AjvPackage.ValidateFunction;

function check(spec: Json, validator: Validator, exchange: Exchange): Violation[] {
  const [method = "", path = ""] = exchange.operation.split(" ");
  const pointer = `/paths/${path.replaceAll("/", "~1")}/${method.toLowerCase()}`;
  const operation = at(spec, pointer);
  if (!operation) return [];
  const faults = (side: Violation["side"], messages: string[]): Violation[] =>
    messages.map((message) => ({ side, operation: exchange.operation, message }));
  // What GitHub would refuse is not the client's fault where the refusal was asked for: only accepted requests are held to it.
  const accepted = exchange.status < 400;
  return [
    ...faults("request", accepted ? queryFaults(spec, operation, exchange.query) : []),
    ...faults("request", accepted ? bodyFaults(validator, pointer, operation, exchange.requestBody) : []),
    ...faults("response", responseFaults(spec, validator, pointer, exchange)),
  ];
}

function bodyFaults(validator: Validator, pointer: string, operation: Json, body: unknown): string[] {
  const request = operation["requestBody"] as Json | undefined;
  if (!request) return body === undefined ? [] : [`takes no body, but ${Object.keys(body as Json).join(", ")} came`];
  if (body === undefined) return request["required"] === true ? ["needs a body, but none came"] : [];
  return errorsOf(validator(`${pointer}/requestBody/content/application~1json/schema`), body);
}

function queryFaults(spec: Json, operation: Json, query: URLSearchParams): string[] {
  const parameters = ((operation["parameters"] ?? []) as Json[]).map((parameter) => deref(spec, parameter));
  const known = new Set(parameters.filter((one) => one["in"] === "query").map((one) => one["name"]));
  return [...query.keys()].filter((name) => !known.has(name)).map((name) => `has no query parameter ${name}`);
}

function responseFaults(spec: Json, validator: Validator, pointer: string, exchange: Exchange): string[] {
  const responses = at(spec, `${pointer}/responses`) ?? {};
  const response = responses[String(exchange.status)] as Json | undefined;
  if (!response) return exchange.status < 400 ? [`may not answer ${exchange.status}`] : [];
  const reference = typeof response["$ref"] === "string" ? response["$ref"].slice(1) : undefined;
  const base = reference ?? `${pointer}/responses/${exchange.status}`;
  const content = `${base}/content/application~1json/schema`;
  if (!at(spec, content) || exchange.status >= 300) return [];
  return errorsOf(validator(content), exchange.responseBody).filter((error) => !deletedFork.test(error));
}

function errorsOf(validate: AjvPackage.ValidateFunction, value: unknown): string[] {
  if (validate(value)) return [];
  return (validate.errors ?? [])
    .slice(0, 5)
    .map((error) => `${error.instancePath || "/"} ${error.message ?? "is wrong"}`);
}

function operationsOf(spec: Json): Set<string> {
  const paths = Object.entries(spec["paths"] as Record<string, Json>);
  return new Set(paths.flatMap(([path, verbs]) => Object.keys(verbs).map((verb) => `${verb.toUpperCase()} ${path}`)));
}

function deref(spec: Json, value: Json): Json {
  return typeof value["$ref"] === "string" ? (at(spec, value["$ref"].slice(1)) ?? {}) : value;
}

function at(spec: Json, pointer: string): Json | undefined {
  let here: unknown = spec;
  for (const part of pointer.slice(1).split("/")) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Json)[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return here as Json | undefined;
}

/** OpenAPI 3.0's `nullable` in JSON Schema's words: Ajv knows it only beside `type`, and not with `enum`. */
function makeNullable(node: unknown): void {
  if (Array.isArray(node)) node.forEach(makeNullable);
  if (typeof node !== "object" || node === null || Array.isArray(node)) return;
  const schema = node as Json;
  makeEither(schema);
  if (schema["nullable"] === true) {
    if (Array.isArray(schema["enum"])) schema["enum"].push(null);
    if (schema["type"] === undefined) widen(schema);
  }
  Object.values(schema).forEach(makeNullable);
}

function widen(schema: Json): void {
  const { nullable: _, ...rest } = { ...schema };
  for (const key of Object.keys(schema)) delete schema[key];
  schema["anyOf"] = [rest, { type: "null" }];
}

/** One fault of the description: `GET /app/installations` wants accounts that are a user and an enterprise at once. */
function makeEither(schema: Json): void {
  const all = schema["allOf"];
  if (!Array.isArray(all) || all.length !== 2 || (all[1] as Json)["title"] !== "Enterprise") return;
  schema["anyOf"] = all;
  delete schema["allOf"];
}
