import { describe, expect, it } from "vitest";
import { generatedCrds } from "../cluster/crds.ts";
import { renderChart } from "./chart-world.ts";

const crdsOf = (...values: string[]) =>
  renderChart(...values).filter(({ kind }) => kind === "CustomResourceDefinition");

describe("the CRDs of the chart", () => {
  it("are the generated ones, with the release's labels and an annotation that keeps them", async () => {
    const rendered = crdsOf().map((crd) => {
      const { labels, annotations, ...metadata } = crd.metadata;
      expect(labels).toMatchObject({ "app.kubernetes.io/part-of": "bellhop", "app.kubernetes.io/managed-by": "Helm" });
      expect(annotations).toEqual({ "helm.sh/resource-policy": "keep" });
      return { ...crd, metadata };
    });
    expect(rendered).toEqual(await generatedCrds());
  });

  it("are removed with the release if `crds.keep` is false", async () => {
    const rendered = crdsOf("crds.keep=false");
    expect(rendered).toHaveLength((await generatedCrds()).length);
    for (const { metadata } of rendered) expect(metadata.annotations).toBeUndefined();
  });

  it("are left out if `crds.install` is false", () => {
    expect(crdsOf("crds.install=false")).toEqual([]);
  });
});
