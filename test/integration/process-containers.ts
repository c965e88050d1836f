import type { Pod } from "../../src/kube/resources.ts";
import { buildPod } from "../../src/sandbox/pod/pod.ts";
import { aSandboxRequest, sandboxSettings } from "../../src/sandbox/testing.ts";
import { renderChart } from "./chart-world.ts";

type Container = NonNullable<Pod["spec"]>["containers"][number];

/** Processes that the image can start. */
export const processes = ["gateway", "operator", "broker", "courier"] as const;
export type ProcessName = (typeof processes)[number];

/** The container of a process: the chart's with its default values, or the courier's in a sandbox. */
export function containerOf(process: ProcessName): Container {
  const [found] = process === "courier" ? couriers() : deployed(process);
  if (!found) throw new Error(`there is no container ${process}`);
  return found;
}

function couriers(): Container[] {
  const { spec } = buildPod(aSandboxRequest(), sandboxSettings());
  return (spec?.initContainers ?? []).filter(({ name }) => name === "courier");
}

function deployed(process: ProcessName): Container[] {
  const found = renderChart().find(
    ({ kind, metadata }) => kind === "Deployment" && metadata.name === `bellhop-${process}`,
  );
  const { spec } = found as { spec?: { template?: { spec?: Pod["spec"] } } };
  return spec?.template?.spec?.containers ?? [];
}

/** A memory quantity (`Mi` or `Gi`) of a container, in MiB. */
export function memoryMiB(container: Container, of: "requests" | "limits"): number {
  const quantity = String(container.resources?.[of]?.["memory"]);
  const [, amount, unit] = /^(\d+)(Mi|Gi)$/.exec(quantity) ?? [];
  if (amount === undefined) throw new Error(`${quantity} has neither Mi nor Gi`);
  return Number(amount) * (unit === "Gi" ? 1024 : 1);
}
