import { describe, expect, it } from "vitest";
import { agentTaskSpec } from "./agent-task.ts";
import { codeHostRef, codeHosts } from "./code-hosts.ts";
import { integrationKindNames, integrationKinds } from "./integration-kinds.ts";
import { integrationStatus, triggerKinds } from "./integration.ts";
import { kinds } from "./kinds.ts";

const status = integrationStatus(
  {
    provider: "Toy",
    bot: { text: "The bot.", id: "Its id.", login: "Its login." },
    installations: { text: "The places.", id: "The place's id.", account: "The place's name." },
    tokenScope: "The scope.",
  },
  { own: {}, installation: {} },
);

describe("integrationKinds", () => {
  it("are the only kinds that a task accepts as its integration", () => {
    const { kind } = agentTaskSpec.shape.integrationRef.shape;
    expect(kind.options).toEqual(integrationKindNames);
  });

  it("contain the code hosts, which are the only kinds that a task accepts as its code host", () => {
    expect(integrationKinds).toMatchObject(codeHosts);
    const hosts = Object.values(codeHosts).map(({ kind }) => kind);
    expect(codeHostRef.shape.kind.options).toEqual(hosts);
  });

  it("come first in the list of all kinds", () => {
    expect(kinds.slice(0, integrationKindNames.length).map(({ kind }) => kind)).toEqual(integrationKindNames);
  });

  it.each(Object.entries(integrationKinds))("%s has the shared fields of spec and status", (_name, kind) => {
    for (const field of ["suspend", "triggers", "access", "profileRef", "concurrency", "reporting"])
      expect(Object.keys(kind.spec.shape)).toContain(field);
    expect(Object.keys(kind.status.shape)).toEqual(expect.arrayContaining(Object.keys(status.shape)));
  });

  it.each(Object.entries(integrationKinds))("%s is a code host or names one", (name, kind) => {
    expect("codeHostRef" in kind.spec.shape).toBe(!(name in codeHosts));
  });

  it.each(Object.entries(integrationKinds))(
    "%s has only kinds of trigger that code outside providers knows",
    (_name, kind) => {
      const trigger = (kind.spec.shape["triggers"] as { element: { shape: object } }).element.shape;
      const common = ["name", "when", "profileRef", "prompt"];
      for (const field of Object.keys(trigger)) expect([...common, ...triggerKinds]).toContain(field);
    },
  );
});
