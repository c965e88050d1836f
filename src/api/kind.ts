import type { ObjectMeta } from "../shared/object-meta.ts";
import type { z } from "zod";

/** The description of one kind, for the generator and the clients. `T` is the type of its objects. */
export interface Kind<T, Name extends string = string> {
  group: string;
  version: string;
  kind: Name;
  plural: string;
  singular: string;
  namespaced: true;
  shortNames: string[];
  description: string;
  spec: z.ZodObject;
  status: z.ZodObject;
  /** Maximum length of an object's name; the names of pods and Secrets are derived from it. */
  maxNameLength: number;
  columns: Column[];
  readonly _type?: T;
}

/** The type of the objects of a kind. */
export type ObjectOf<K> = K extends Kind<infer T> ? T : never;

/** The names of these kinds, in their order. */
export function kindNames<Name extends string>(kinds: Record<string, Kind<unknown, Name>>): Name[] {
  return Object.values(kinds).map(({ kind }) => kind);
}

/** Metadata of a Bellhop object, as the API server sends it: every kind is in a namespace. */
type Metadata = ObjectMeta & { namespace: string };

/** One object of a Bellhop kind. */
export interface Resource<Spec, Status> {
  apiVersion?: string;
  kind?: string;
  metadata: Metadata;
  spec: Spec;
  status?: Status;
}

/** A column of `kubectl get`. `wide` columns need `-o wide`. */
export interface Column {
  name: string;
  type: "string" | "integer" | "date" | "boolean";
  jsonPath: string;
  description: string;
  wide?: boolean;
}

/** Columns that several kinds show. */
export const age: Column = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "Time since creation.",
};
export const ready: Column = {
  name: "Ready",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
  description: "Status of the condition `Ready`.",
};
export const reason: Column = {
  name: "Reason",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
  description: "Reason of the condition `Ready`.",
};
