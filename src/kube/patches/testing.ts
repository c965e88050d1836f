import { failure } from "../memory/testing.ts";
import type { JsonPatch } from "../types.ts";

type Json = Record<string, unknown>;

/** A JSON merge patch (RFC 7386), as the API server applies it: null removes a field, an array replaces the old one. */
export function mergePatched(into: unknown, patch: object): unknown {
  const out: Json = isRecord(into) ? { ...into } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete out[name];
    else out[name] = isRecord(value) ? mergePatched(out[name], value) : value;
  }
  return out;
}

/** A JSON patch (RFC 6902), as the API server applies it. Throws 422 if a test fails or a path does not exist. */
export function jsonPatched<T extends object>(object: T, patch: JsonPatch): T {
  const out = structuredClone(object);
  for (const { op, path, value } of patch) {
    const names = path
      .slice(1)
      .split("/")
      .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = names.pop() ?? "";
    const parent = names.reduce<unknown>((at, name) => (at as Json | undefined)?.[name], out);
    if (!Array.isArray(parent) && !isRecord(parent)) throw failure(422, "Invalid", `no such path: ${path}`);
    if (op === "test") requireValue(parent, last, value);
    else change(parent, last, { op, value });
  }
  return out;
}

/** For the API server, the value of an absent field is null. */
function requireValue(parent: object, name: string, value: unknown): void {
  if (JSON.stringify(Reflect.get(parent, name) ?? null) === JSON.stringify(value)) return;
  throw failure(422, "Invalid", `testing value ${name} failed`);
}

function change(parent: Json | unknown[], name: string, { op, value }: Omit<JsonPatch[number], "path">): void {
  if (op !== "add" && !(name in parent)) throw failure(422, "Invalid", `no such field: ${name}`);
  if (Array.isArray(parent)) {
    const at = name === "-" ? parent.length : Number(name);
    parent.splice(at, op === "add" ? 0 : 1, ...(op === "remove" ? [] : [value]));
  } else if (op === "remove") delete parent[name];
  else parent[name] = value;
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
