import type { Kind } from "../../src/api/kind.ts";
import { partSchema } from "./crd.ts";
import type { Schema } from "./structural.ts";

/** The API reference in Markdown: one table per kind; each field with its type, default and docstring. */
export function reference(kinds: readonly Kind<unknown>[]): string {
  return [
    "<!-- Generated from src/api by `npm run generate`. Do not edit. -->",
    "# API reference",
    "",
    "Group `bellhop.dev`, version `v1alpha1`. All kinds are namespaced; every reference points into the same namespace.",
    "`kubectl explain` shows the same texts.",
    ...kinds.flatMap(kindSection),
    "",
  ].join("\n");
}

function kindSection(kind: Kind<unknown>): string[] {
  return [
    "",
    `## ${kind.kind}`,
    "",
    `${kind.description} Short name: \`${kind.shortNames.join("`, `")}\`.`,
    ...table("spec", partSchema(kind.spec)),
    ...table("status", partSchema(kind.status)),
  ];
}

function table(path: string, schema: Schema): string[] {
  const rows = fields(path, schema).map(row);
  return ["", `### ${path}`, "", "| field | type | default | description |", "|---|---|---|---|", ...rows];
}

interface Field {
  path: string;
  schema: Schema;
  required: boolean;
}

function fields(path: string, schema: Schema): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const at = `${path}.${name}`;
    const inside = child.items ? fields(`${at}[]`, child.items) : fields(at, child);
    return [{ path: at, schema: child, required: schema.required?.includes(name) ?? false }, ...inside];
  });
}

function row({ path, schema, required }: Field): string {
  const type = typeName(schema) + (required ? ", required" : "");
  return `| \`${path}\` | ${type} | ${defaultText(schema)} | ${cell(schema.description ?? "")} |`;
}

function typeName(schema: Schema): string {
  const values = schema["enum"];
  if (Array.isArray(values)) return values.map((value) => `\`${String(value)}\``).join(" or ");
  if (schema.items) return `list of ${typeName(schema.items)}`;
  return schema.type ?? "any";
}

function defaultText(schema: Schema): string {
  const value = schema["default"];
  if (value === undefined || (typeof value === "object" && !Array.isArray(value))) return "";
  return Array.isArray(value) ? value.map((item) => `\`${String(item)}\``).join(" ") : `\`${JSON.stringify(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ").replaceAll("<", "&lt;");
}
