import { describe, expect, it } from "vitest";
import type { Pod } from "../../src/kube/resources.ts";
import type { KubeObject } from "../../src/kube/types.ts";
import { readUninstallConfig } from "../../src/operator/uninstall/config.ts";
import { release, renderChart, renderUninstall, renderValues } from "./chart-world.ts";

const jobOf = (
  ...values: string[]
): { template: { spec: NonNullable<Pod["spec"]> }; activeDeadlineSeconds: number } => {
  const job = renderUninstall(...values).find(({ kind }) => kind === "Job");
  return (job as KubeObject & { spec: ReturnType<typeof jobOf> }).spec;
};

describe("the clean-up before an uninstall", () => {
  it("is not rendered without a cluster, because it would run at once if it were applied with kubectl", () => {
    const names = renderChart().map(({ metadata }) => metadata.name);
    expect(names.length).toBeGreaterThan(30);
    expect(names).not.toContain("bellhop-uninstall");
  });

  it("creates all its objects in the hook, the account before the Job, and deletes them afterwards", () => {
    const hook = renderUninstall();
    const weight = ({ metadata }: KubeObject): number => Number(metadata.annotations?.["helm.sh/hook-weight"]);
    const [job, ...others] = hook.toSorted((a, b) => weight(b) - weight(a));
    expect(job).toMatchObject({ kind: "Job", metadata: { name: "bellhop-uninstall", namespace: release.namespace } });
    expect(others.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]),
    );
    for (const { metadata } of hook) {
      expect(metadata.name).toBe("bellhop-uninstall");
      expect(metadata.annotations?.["helm.sh/hook-delete-policy"]).toBe("before-hook-creation,hook-succeeded");
    }
  });

  it("is left out if `uninstall.enabled` is false", () => {
    expect(renderUninstall("uninstall.enabled=false")).toEqual([]);
  });

  it("is left out of what `helm template --no-hooks` renders where the kinds of the cluster are known", () => {
    const names = (...args: string[]): string[] =>
      renderValues({}, "--api-versions", "batch/v1/Job", ...args).map(({ metadata }) => metadata.name);
    expect(names()).toContain("bellhop-uninstall");
    expect(names("--no-hooks")).not.toContain("bellhop-uninstall");
  });

  it("ends within the five minutes that helm waits", () => {
    expect(jobOf().activeDeadlineSeconds).toBeLessThan(300);
  });

  it("gives its process a valid environment, with the settings to reach providers", () => {
    const values = [
      "allowedPrivateHosts={github.example.com}",
      "clusterRanges={10.0.0.0/8}",
      "extraCA.configMap=our-authorities",
      "proxies.https=http://proxy.example.com:3128",
    ];
    const { containers, volumes } = jobOf(...values).template.spec;
    const env = (containers[0]?.env ?? []).map(({ name, value }) => [name, value ?? release.namespace]);
    expect(readUninstallConfig(Object.fromEntries(env) as Record<string, string>)).toMatchObject({
      BELLHOP_NAMESPACE: release.namespace,
      BELLHOP_BROKER_NAMESPACE: release.brokerNamespace,
      BELLHOP_RELEASE: release.name,
      BELLHOP_ALLOWED_HOSTS: ["github.example.com"],
      BELLHOP_CA_FILE: "/etc/bellhop/extra-ca/ca.crt",
      HTTPS_PROXY: "http://proxy.example.com:3128",
    });
    expect(containers[0]?.volumeMounts).toMatchObject([
      { name: volumes?.[0]?.name, mountPath: "/etc/bellhop/extra-ca" },
    ]);
  });
});
