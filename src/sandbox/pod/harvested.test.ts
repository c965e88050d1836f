import { beforeEach, describe, expect, it } from "vitest";
import { pods, type Pod } from "../../kube/resources.ts";
import { createStore } from "../../kube/store.ts";
import { createFakeClient, type FakeClient } from "../../kube/testing.ts";
import { systemClock } from "../../shared/clock.ts";
import { aSandboxTask, sandboxSettings } from "../testing.ts";
import { policyIndexes } from "./foreign-policy.ts";
import { podProvider } from "./index.ts";

const task = aSandboxTask();
const harvest = "bellhop.dev/harvest";
const aPod = (finalizers: string[]): Pod =>
  ({
    metadata: {
      name: `${task.metadata.name}-sandbox-1`,
      namespace: task.metadata.namespace,
      finalizers,
      ownerReferences: [
        { apiVersion: "bellhop.dev/v1alpha1", kind: "AgentTask", name: task.metadata.name, uid: task.metadata.uid },
      ],
    },
  }) as Pod;

describe("a sandbox pod whose result is written", () => {
  let client: FakeClient;
  let requests: string[];
  beforeEach(() => {
    client = createFakeClient();
    requests = [];
  });

  /** Releases the pod, which the cache may have; returns the requests. */
  async function release(cached: Pod | undefined): Promise<string[]> {
    const known = createStore<Pod>();
    known.replaceAll(cached ? [cached] : []);
    client.before = ({ verb }) => void requests.push(verb);
    const sandboxes = podProvider({
      client,
      pods: known,
      networkPolicies: createStore(policyIndexes),
      settings: sandboxSettings(),
      installation: () => sandboxSettings(),
      clock: systemClock,
    });
    await sandboxes.harvested(task, 1, AbortSignal.timeout(5_000));
    return requests;
  }

  it("is released with one request, and with none once it is released", async () => {
    expect(await release(client.seed(pods, aPod([harvest])))).toEqual(["jsonPatch"]);
    requests = [];
    expect(await release(client.only(pods))).toEqual([]);
  });

  it("is looked up if the cache does not have it", async () => {
    client.seed(pods, aPod([harvest]));
    expect(await release(undefined)).toEqual(["find", "jsonPatch"]);
    expect(client.only(pods).metadata.finalizers ?? []).toEqual([]);
  });
});
