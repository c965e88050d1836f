import { nodeCost, type Fuel } from "./fuel.ts";

/** Maximum length of a text and of a list that a rule may work on. */
export const maxText = 65_536;
export const maxList = 256;
const maxEqualDepth = 32;
/** The cost to list one key of a map, measured with as many keys as a body may have values. */
const keyCost = 200;

/** The failure of a part of an expression. `||`, `&&` and comprehensions may not need that part. Not an `Error`, which would cost a stack trace. */
export class Failure {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

const noSuchKey = new Failure("the rule reads a field that does not exist; check it with has() first");
const notSelectable = new Failure("the rule reads a field of a value that is not a map");
const badIndex = new Failure("the rule reads a list element that does not exist");
const incomparable = new Failure("the rule compares two values that have no order");
const listTooLong = new Failure(`the rule iterates over a list of more than ${maxList} entries`);

/** `object.key`, for maps only; inherited properties are not visible. */
export function select(object: unknown, key: string): unknown {
  if (object instanceof Failure) return object;
  if (!isMap(object)) return notSelectable;
  return Object.hasOwn(object, key) ? object[key] : noSuchKey;
}

/** `collection[index]`. */
export function index(collection: unknown, at: unknown): unknown {
  if (collection instanceof Failure) return collection;
  if (at instanceof Failure) return at;
  if (typeof at === "string") return select(collection, at);
  if (!Array.isArray(collection) || typeof at !== "number") return badIndex;
  return at >= 0 && at < collection.length ? (collection[at] as unknown) : badIndex;
}

/** Whether `object` has `key`; a failure if `object` is not a map. */
export function has(object: unknown, key: string): boolean | Failure {
  if (object instanceof Failure) return object;
  return isMap(object) ? Object.hasOwn(object, key) : notSelectable;
}

/** The elements of a list or the keys of a map; a failure if there are more than `maxList`. */
export function elements(collection: unknown, fuel: Fuel): unknown[] | Failure {
  if (collection instanceof Failure) return collection;
  const all: unknown = isMap(collection) ? keysOf(collection, fuel) : collection;
  if (!Array.isArray(all)) return new Failure("expected a list or a map to iterate over");
  return all.length <= maxList ? all : listTooLong;
}

/**
 * The keys of a map. The JavaScript engine lists all keys before it returns the first one, so they are charged after the listing.
 * The number of values that a body may have bounds one listing, and each further listing is charged again.
 */
export function keysOf(map: Record<string, unknown>, fuel: Fuel): string[] {
  const keys = Object.keys(map);
  fuel.spend(keys.length * keyCost);
  return keys;
}

/** Deep equality. Values of different types are not equal, as in CEL. */
export function equal(a: unknown, b: unknown, fuel: Fuel, depth = 0): boolean {
  if (typeof a === "string" && typeof b === "string") return equalTexts(a, b, fuel);
  if (a === b) return true;
  if (!isObject(a) || !isObject(b) || depth > maxEqualDepth) return false;
  return equalObjects(a, b, fuel, depth);
}

/** The order of two numbers, texts or bools: negative, 0 or positive. */
export function compare(a: unknown, b: unknown, fuel: Fuel): number | Failure {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (typeof a !== "string" || typeof b !== "string") return incomparable;
  fuel.spend(Math.min(a.length, b.length));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether a value is a map: a JSON object. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Failure);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function equalObjects(a: object, b: object, fuel: Fuel, depth: number): boolean {
  fuel.spend(nodeCost);
  if (Array.isArray(a) && Array.isArray(b)) return equalLists(a, b, fuel, depth);
  return isMap(a) && isMap(b) && equalMaps(a, b, fuel, depth);
}

/** Charged for each character: the engine compares texts of different character widths one character at a time. */
function equalTexts(a: string, b: string, fuel: Fuel): boolean {
  if (a.length !== b.length) return false;
  fuel.spend(a.length);
  return a === b;
}

function equalLists(a: unknown[], b: unknown[], fuel: Fuel, depth: number): boolean {
  if (a.length !== b.length) return false;
  fuel.spend(a.length * nodeCost);
  return a.every((element, at) => equal(element, b[at], fuel, depth + 1));
}

function equalMaps(a: Record<string, unknown>, b: Record<string, unknown>, fuel: Fuel, depth: number): boolean {
  const keys = keysOf(a, fuel);
  if (keys.length !== keysOf(b, fuel).length) return false;
  fuel.spend(keys.length * nodeCost * 4);
  return keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key], fuel, depth + 1));
}
