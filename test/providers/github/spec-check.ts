import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as AjvPackage from "ajv";
import type { Violation } from "../stand-in/checked-calls.ts";
import { errorsIn, specLoader } from "../stand-in/load-spec.ts";

/** The path of GitHub's own API description beside a checkout. A user's clone does not have it. */
export const specFile = new URL("../../../../shared/fixtures/github/spec/openapi-subset.json", import.meta.url);

/** A request and its answer, to check against the description. */
export interface Exchange {
  /** `METHOD /path/{parameter}`. */
  operation: string;
  query: URLSearchParams;
  /** Undefined if the request has no body. */
  requestBody: unknown;
  status: number;
  responseBody: unknown;
}

/** Checks exchanges against the operations of the description. Other operations are not checked. */
export interface SpecCheck {
  check(exchange: Exchange): Violation[];
  /** The operations of the description, as `METHOD /path/{parameter}`. */
  operations: Set<string>;
}

type Json = Record<string, unknown>;

/** Whether the file with the description exists. */
export function specPresent(): boolean {
  return existsSync(specFile);
}

/** Loads the description; see `specLoader`. */
export const loadSpec = specLoader({ provider: "GitHub", file: specFile, read: readSpec });

function readSpec(file: URL): SpecCheck {
  const spec = JSON.parse(readFileSync(file, "utf8")) as Json;
  makeNullable(spec);
  // Loaded only when needed, because the image of the stand-in has neither these packages nor the description.
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

/** Corrects an error of the description: the head of a pull request whose fork was deleted has `repo: null`, as webhooks' schema says. */
const deletedFork = /^(\/\d+)?\/head\/repo must be object$/;

type Validator = (pointer: string) => AjvPackage.ValidateFunction;

function check(spec: Json, validator: Validator, exchange: Exchange): Violation[] {
  const [method = "", path = ""] = exchange.operation.split(" ");
  const pointer = `/paths/${path.replaceAll("/", "~1")}/${method.toLowerCase()}`;
  const operation = at(spec, pointer);
  if (!operation) return [];
  const faults = (side: Violation["side"], messages: string[]): Violation[] =>
    messages.map((message) => ({ side, subject: exchange.operation, message }));
  // Tests may send invalid requests to get a refusal, so only accepted requests are checked.
  const accepted = exchange.status < 400;
  return [
    ...faults("request", accepted ? queryFaults(spec, validator, pointer, exchange.query) : []),
    ...faults("request", accepted ? bodyFaults(validator, pointer, operation, exchange.requestBody) : []),
    ...faults("response", responseFaults(spec, validator, pointer, exchange)),
  ];
}

function bodyFaults(validator: Validator, pointer: string, operation: Json, body: unknown): string[] {
  const request = operation["requestBody"] as Json | undefined;
  if (!request)
    return body === undefined ? [] : [`accepts no body, but got one with ${Object.keys(body as Json).join(", ")}`];
  if (body === undefined) return request["required"] === true ? ["requires a body, but got none"] : [];
  return errorsOf(validator(`${pointer}/requestBody/content/application~1json/schema`), body);
}

/** Finds unknown parameters, and values that violate the parameter's schema. */
function queryFaults(spec: Json, validator: Validator, pointer: string, query: URLSearchParams): string[] {
  const places = Object.keys(at(spec, `${pointer}/parameters`) ?? {}).map((index) => `${pointer}/parameters/${index}`);
  const known = places.map((place) => referred(spec, place)).filter((place) => at(spec, place)?.["in"] === "query");
  return [...query].flatMap(([name, value]) => {
    const place = known.find((candidate) => at(spec, candidate)?.["name"] === name);
    if (place === undefined) return [`has no query parameter ${name}`];
    const faults = errorsOf(validator(`${place}/schema`), typedValue(at(spec, `${place}/schema`), value));
    return faults.map((fault) => `?${name}=${value} ${fault.replace(/^\/ /, "")}`);
  });
}

/** Converts the text of a query parameter to the type in its schema: numbers and booleans. */
function typedValue(schema: Json | undefined, value: string): unknown {
  if (schema?.["type"] === "integer") return /^-?\d+$/.test(value) ? Number(value) : value;
  return schema?.["type"] === "boolean" && /^(true|false)$/.test(value) ? value === "true" : value;
}

function responseFaults(spec: Json, validator: Validator, pointer: string, exchange: Exchange): string[] {
  const responses = at(spec, `${pointer}/responses`) ?? {};
  if (!responses[String(exchange.status)]) return exchange.status < 400 ? [`may not answer ${exchange.status}`] : [];
  const content = `${referred(spec, `${pointer}/responses/${exchange.status}`)}/content/application~1json/schema`;
  if (!at(spec, content) || exchange.status >= 300) return [];
  return errorsOf(validator(content), exchange.responseBody).filter((error) => !deletedFork.test(error));
}

function errorsOf(validate: AjvPackage.ValidateFunction, value: unknown): string[] {
  return validate(value) ? [] : errorsIn(validate);
}

function operationsOf(spec: Json): Set<string> {
  const paths = Object.entries(spec["paths"] as Record<string, Json>);
  return new Set(paths.flatMap(([path, verbs]) => Object.keys(verbs).map((verb) => `${verb.toUpperCase()} ${path}`)));
}

/** Resolves the reference at `pointer`. */
function referred(spec: Json, pointer: string): string {
  const reference = at(spec, pointer)?.["$ref"];
  return typeof reference === "string" ? reference.slice(1) : pointer;
}

function at(spec: Json, pointer: string): Json | undefined {
  let here: unknown = spec;
  for (const part of pointer.slice(1).split("/")) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Json)[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return here as Json | undefined;
}

/** Converts OpenAPI 3.0's `nullable` to JSON Schema, because Ajv supports it only beside `type`, and not with `enum`. */
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

/** Corrects an error of the description: `GET /app/installations` requires accounts that are a user and an enterprise at once. */
function makeEither(schema: Json): void {
  const all = schema["allOf"];
  if (!Array.isArray(all) || all.length !== 2 || (all[1] as Json)["title"] !== "Enterprise") return;
  schema["anyOf"] = all;
  delete schema["allOf"];
}
