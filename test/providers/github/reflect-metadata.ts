/**
 * The three functions of the reflect-metadata proposal that `@peculiar/x509`'s dependency container asks for when it is loaded.
 * Import this before it. Stays out of the way where something has brought them already.
 */
type Keyed = Map<unknown, unknown>;

const known = new WeakMap<object, Keyed>();

function own(key: unknown, target: object): unknown {
  return known.get(target)?.get(key);
}

function inherited(key: unknown, target: object | null): unknown {
  if (target === null) return undefined;
  return own(key, target) ?? inherited(key, Object.getPrototypeOf(target) as object | null);
}

function define(key: unknown, value: unknown, target: object): void {
  const keyed: Keyed = known.get(target) ?? new Map<unknown, unknown>();
  known.set(target, keyed.set(key, value));
}

if (!("getMetadata" in Reflect)) {
  Object.assign(Reflect, { getMetadata: inherited, getOwnMetadata: own, defineMetadata: define });
}
