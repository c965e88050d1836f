/** The part of JSON Schema that a CustomResourceDefinition may contain. */
export interface Schema {
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  required?: string[];
  [keyword: string]: unknown;
}

const dropped = new Set(["$schema", "$id", "id", "propertyNames"]);

/** Makes a schema from zod structural, recursively: removes keywords that the API server refuses, and adds the format of integers. */
export function structural(schema: Schema): Schema {
  const out: Schema = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !dropped.has(keyword)));
  if (out.type === "integer") out["format"] = "int64";
  if (out.properties) {
    if (out.additionalProperties === false) delete out.additionalProperties;
    out.properties = Object.fromEntries(
      Object.entries(out.properties).map(([name, child]) => [name, structural(child)]),
    );
  }
  // The server drops them, so a comparison with the stored object would always find a difference.
  if (Object.keys(out.properties ?? {}).length === 0) delete out.properties;
  if (out.items) out.items = structural(out.items);
  if (typeof out.additionalProperties === "object") out.additionalProperties = structural(out.additionalProperties);
  return out;
}
