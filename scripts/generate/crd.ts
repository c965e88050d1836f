import { z } from "zod";
import type { Kind } from "../../src/api/kind.ts";
import { structural, type Schema } from "./structural.ts";

/** The CustomResourceDefinition of a kind, as an object to be written as YAML. */
export function crd(kind: Kind<unknown>): object {
  const names = { kind: kind.kind, listKind: `${kind.kind}List`, plural: kind.plural, singular: kind.singular };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${kind.plural}.${kind.group}` },
    spec: {
      group: kind.group,
      scope: "Namespaced",
      names: { ...names, shortNames: kind.shortNames, categories: ["bellhop"] },
      versions: [
        {
          name: kind.version,
          served: true,
          storage: true,
          subresources: { status: {} },
          // Zero is omitted, because the server omits it too.
          additionalPrinterColumns: kind.columns.map(({ wide, ...column }) => ({
            ...column,
            ...(wide && { priority: 1 }),
          })),
          schema: { openAPIV3Schema: rootSchema(kind) },
        },
      ],
    },
  };
}

/** The structural schema of `spec` or `status` of a kind. */
export function partSchema(part: z.ZodObject): Schema {
  return structural(z.toJSONSchema(part, { target: "openapi-3.0", io: "input" }) as Schema);
}

function rootSchema(kind: Kind<unknown>): Schema {
  return {
    type: "object",
    description: kind.description,
    required: ["spec"],
    properties: {
      apiVersion: { type: "string", description: "Version of the schema of this object." },
      kind: { type: "string", description: "Kind of this object." },
      metadata: { type: "object" },
      spec: { ...partSchema(kind.spec), description: "Desired state." },
      status: { ...partSchema(kind.status), description: "Observed state; written by Bellhop." },
    },
    "x-kubernetes-validations": [
      {
        rule: `self.metadata.name.size() <= ${kind.maxNameLength}`,
        message: `metadata.name may have at most ${kind.maxNameLength} characters: other objects are named after it`,
      },
    ],
  };
}
