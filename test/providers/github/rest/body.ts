import { invalid } from "./failure.ts";

/** A string field, or undefined if it is absent. */
export function optionalString(body: Record<string, unknown>, field: string): string | undefined {
  const value = body[field];
  return typeof value === "string" ? value : undefined;
}

/** A required string field. Answers 422 with GitHub's message if it is absent. */
export function requiredString(body: Record<string, unknown>, field: string, resource: string): string {
  const value = optionalString(body, field);
  if (value === undefined || value.trim() === "") throw invalid(resource, field, "missing_field");
  return value;
}

/** A list of strings, or undefined if it is absent. */
export function stringList(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : undefined;
}

/** A field that is an object, or an empty one. */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** The body of a comment: required, and within GitHub's limit of 65,536 characters. */
export function commentBody(body: Record<string, unknown>, resource: string): string {
  const text = requiredString(body, "body", resource);
  if (text.length > 65_536) throw invalid(resource, "body", "custom", "body is too long (maximum is 65536 characters)");
  return text;
}
