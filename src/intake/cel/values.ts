/** The cost of one node of an expression, in units of about a nanosecond. */
export const nodeCost = 25;
/** Maximum length of a text that a rule may work on. */
const maxText = 65_536;
/** Maximum length of a list that a rule may work on. */
export const maxList = 256;
const maxEqualDepth = 32;
/** The cost to list one key of a map, measured with as many keys as a body may have values. */
const keyCost = 200;

/** Thrown when an evaluation exceeds its budget. An expression cannot catch it. */
export class FuelExhausted extends Error {
  constructor() {
    super("the rule exceeded the cost limit of one evaluation; compare shorter lists or texts");
    this.name = "FuelExhausted";
  }
}

/** Counts the cost of one evaluation, and stops the evaluation when it exceeds the budget. */
export class Fuel {
  readonly #units: number;
  #spent = 0;

  constructor(units: number) {
    this.#units = units;
  }

  /** The cost so far; greater than the budget if the evaluation was stopped. */
  get spent(): number {
    return this.#spent;
  }

  /** Charges `units`; throws `FuelExhausted` if the budget is exceeded. */
  spend(units: number): void {
    this.#spent += units;
    if (this.#spent > this.#units) throw new FuelExhausted();
  }
}

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
/** The failure of an operator, a condition or a comprehension that needs a bool. */
export const notBool = new Failure("expected a bool operand");
const notNumbers = new Failure("expected number operands");

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
function keysOf(map: Record<string, unknown>, fuel: Fuel): string[] {
  const keys = Object.keys(map);
  fuel.spend(keys.length * keyCost);
  return keys;
}

type Operator = (a: unknown, b: unknown, fuel: Fuel) => unknown;

/** The operators with two operands. There is no division, because a JSON number does not say whether it is an int. */
export const operators: Readonly<Record<string, Operator>> = {
  "==": (a, b, fuel) => equal(a, b, fuel),
  "!=": (a, b, fuel) => !equal(a, b, fuel),
  "<": ordered((order) => order < 0),
  "<=": ordered((order) => order <= 0),
  ">": ordered((order) => order > 0),
  ">=": ordered((order) => order >= 0),
  in: member,
  "+": add,
  "-": numeric((a, b) => a - b),
  "*": numeric((a, b) => a * b),
  "%": numeric((a, b) => a % b),
};

type Quantifier = (items: unknown[], test: (item: unknown) => boolean | Failure) => boolean | Failure;

/** The comprehensions that a rule may use: they iterate over a list and create no new list. */
export const quantifiers: ReadonlyMap<string, Quantifier> = new Map([
  ["all", anyOrAll(false)],
  ["exists", anyOrAll(true)],
  ["exists_one", exactlyOne],
]);

/** `!value`. */
export function not(value: unknown): unknown {
  return typeof value === "boolean" ? !value : notBool;
}

/** `-value`. */
export function negate(value: unknown): unknown {
  return typeof value === "number" ? -value : notNumbers;
}

/** Calls `use` with a text of at most `maxText` characters; fails for every other value. */
export function withText(value: unknown, use: (text: string) => unknown): unknown {
  if (value instanceof Failure) return value;
  if (typeof value !== "string") return new Failure("expected a text operand");
  if (value.length > maxText) return new Failure(`the rule uses a text of more than ${maxText} characters`);
  return use(value);
}

/** The number of characters (code points) of a text, or of entries of a list or a map. */
export function size(value: unknown, fuel: Fuel): unknown {
  if (typeof value === "string") return withText(value, (text) => (fuel.spend(text.length * 3), codePoints(text)));
  if (Array.isArray(value)) return value.length;
  if (!isMap(value))
    return value instanceof Failure ? value : new Failure("expected a text, a list or a map for size()");
  return keysOf(value, fuel).length;
}

function codePoints(text: string): number {
  let pairs = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0xd800 && unit < 0xdc00) pairs += Number((text.charCodeAt(at + 1) & 0xfc00) === 0xdc00);
  }
  return text.length - pairs;
}

function ordered(holds: (order: number) => boolean): Operator {
  return (a, b, fuel) => {
    const order = compare(a, b, fuel);
    return order instanceof Failure ? order : holds(order);
  };
}

function numeric(apply: (a: number, b: number) => number): Operator {
  return (a, b) => (typeof a === "number" && typeof b === "number" ? apply(a, b) : notNumbers);
}

function add(a: unknown, b: unknown, fuel: Fuel): unknown {
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (typeof a !== "string" || typeof b !== "string")
    return new Failure("expected two numbers or two texts as operands of +");
  if (a.length + b.length > maxText) return new Failure(`the rule makes a text of more than ${maxText} characters`);
  fuel.spend(a.length + b.length);
  return a + b;
}

function member(value: unknown, collection: unknown, fuel: Fuel): unknown {
  if (isMap(collection)) return typeof value === "string" && Object.hasOwn(collection, value);
  if (!Array.isArray(collection)) return new Failure("expected a list or a map as the right operand of in");
  for (const element of collection as unknown[]) {
    fuel.spend(nodeCost);
    if (equal(value, element, fuel)) return true;
  }
  return false;
}

/** The first true decides `exists`, the first false decides `all`. A failure counts only if no element decides. */
function anyOrAll(decisive: boolean): Quantifier {
  return (items, test) => {
    let failure: Failure | undefined;
    for (const item of items) {
      const value = test(item);
      if (value === decisive) return decisive;
      if (value instanceof Failure) failure = value;
    }
    return failure ?? !decisive;
  };
}

function exactlyOne(items: unknown[], test: (item: unknown) => boolean | Failure): boolean | Failure {
  let found = 0;
  for (const item of items) {
    const value = test(item);
    if (value instanceof Failure) return value;
    if (value) found += 1;
  }
  return found === 1;
}

/** Deep equality. Values of different types are not equal, as in CEL. */
function equal(a: unknown, b: unknown, fuel: Fuel, depth = 0): boolean {
  if (typeof a === "string" && typeof b === "string") return equalTexts(a, b, fuel);
  if (a === b) return true;
  if (!isObject(a) || !isObject(b) || depth > maxEqualDepth) return false;
  return equalObjects(a, b, fuel, depth);
}

/** The order of two numbers, texts or bools: negative, 0 or positive. */
function compare(a: unknown, b: unknown, fuel: Fuel): number | Failure {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (typeof a !== "string" || typeof b !== "string") return incomparable;
  fuel.spend(Math.min(a.length, b.length));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether a value is a map: a JSON object. */
function isMap(value: unknown): value is Record<string, unknown> {
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
