import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createKubeClient } from "./client.ts";
import {
  ApiError,
  isAlreadyExists,
  isConflict,
  isGone,
  isNamespaceTerminating,
  isNotFound,
  isQuotaExceeded,
} from "./errors.ts";
import { createKubeMetrics } from "./metrics.ts";
import { configMaps, leases, nodes, pods, serviceAccounts } from "./resources.ts";
import type { KubeConnection } from "./types.ts";
import { type WireRequest, type WireServer, aStatus, startWireServer } from "./wire/testing.ts";

const token = "opaque-token-0123456789";
const x = { namespace: "default", name: "x" };

let server: WireServer;
let client: KubeConnection;
let registry: Registry;

beforeEach(async () => {
  server = await startWireServer((_, response) => response.json(200, { metadata: x }));
  registry = new Registry();
  const config = { ...server.config, authorization: async () => `Bearer ${token}` };
  client = createKubeClient(config, { metrics: createKubeMetrics(registry) });
});

afterEach(async () => {
  await client.close();
  await server.close();
});

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "it did not fail",
    (error: unknown) => error,
  );

describe("calls", () => {
  it("share one TLS connection, however many run at a time", async () => {
    for (let round = 0; round < 4; round++) {
      await Promise.all(Array.from({ length: 50 }, () => client.get(pods, x)));
    }
    expect(server.requests).toHaveLength(200);
    expect(server.connections.total).toBe(1);
  });

  it.each([
    ["get", () => client.get(pods, x), "GET /api/v1/namespaces/default/pods/x"],
    ["get of a cluster-scoped kind", () => client.get(nodes, { name: "n" }), "GET /api/v1/nodes/n"],
    ["list over all namespaces", () => client.list(pods, { labelSelector: "a=b" }), "GET /api/v1/pods a=b"],
    [
      "create",
      () => client.create(leases, { metadata: x }),
      "POST /apis/coordination.k8s.io/v1/namespaces/default/leases",
    ],
    ["replace", () => client.replace(pods, { metadata: x }), "PUT /api/v1/namespaces/default/pods/x"],
    [
      "replaceStatus",
      () => client.replaceStatus(pods, { metadata: x }),
      "PUT /api/v1/namespaces/default/pods/x/status",
    ],
    ["mergePatch", () => client.mergePatch(pods, x, {}), "PATCH /api/v1/namespaces/default/pods/x merge-patch+json"],
    ["jsonPatch", () => client.jsonPatch(pods, x, []), "PATCH /api/v1/namespaces/default/pods/x json-patch+json"],
    [
      "apply",
      () => client.apply(pods, { metadata: x }, { fieldManager: "bellhop", subresource: "status" }),
      "PATCH /api/v1/namespaces/default/pods/x/status apply-patch+yaml bellhop true",
    ],
    [
      "createSubresource",
      () => client.createSubresource(serviceAccounts, x, "token", {}),
      "POST /api/v1/namespaces/default/serviceaccounts/x/token",
    ],
  ])("%s uses the path of the API", async (_, call, expected) => {
    await call();
    const [{ method, path, query, headers }] = server.requests as [WireRequest];
    const contentType = (headers["content-type"] ?? "").replace(/^application\/(json$)?/, "");
    const said = [method, path, contentType, query["labelSelector"], query["fieldManager"], query["force"]];
    expect(said.filter(Boolean).join(" ")).toBe(expected);
    expect(headers["authorization"]).toBe(`Bearer ${token}`);
  });

  it("send kind and version, which the caller can omit", async () => {
    await client.create(leases, { metadata: x }, { dryRun: true });
    expect(server.requests[0]?.body).toEqual({ metadata: x, apiVersion: "coordination.k8s.io/v1", kind: "Lease" });
    expect(server.requests[0]?.query).toEqual({ dryRun: "All" });
  });

  it("keep a name inside its segment of the path", async () => {
    await client.get(pods, { namespace: "default", name: "../../secrets?x=y" });
    expect(server.requests[0]?.path).toBe("/api/v1/namespaces/default/pods/..%2F..%2Fsecrets%3Fx%3Dy");
    expect(() => client.get(pods, { namespace: "..", name: "x" })).toThrow(/not a name/);
    expect(() => client.get(pods, { name: "x" })).toThrow(/is namespaced/);
  });

  it("are counted by code and method", async () => {
    await client.get(pods, x);
    expect(await registry.metrics()).toContain('rest_client_requests_total{code="200",method="GET"} 1');
  });
});

describe("deletes", () => {
  it("propagate in the background and are limited to the given uid", async () => {
    await client.delete(pods, x, { uid: "u-1", gracePeriodSeconds: 0 });
    expect(server.requests[0]?.body).toMatchObject({
      propagationPolicy: "Background",
      preconditions: { uid: "u-1" },
      gracePeriodSeconds: 0,
    });
  });

  it("succeed if the object does not exist any more", async () => {
    server.answer = (_, response) => response.json(404, aStatus(404, "NotFound", "no such pod"));
    await expect(client.delete(pods, x)).resolves.toBeUndefined();
    await expect(client.find(pods, x)).resolves.toBeUndefined();
  });
});

describe("failures", () => {
  it("name the call and the server's message, and contain no token", async () => {
    server.answer = (_, response) => response.json(403, aStatus(403, "Forbidden", "user may not"));
    const error = await failureOf(client.get(pods, x));
    expect(error).toMatchObject({
      status: 403,
      reason: "Forbidden",
      retryable: false,
      message: "get pods default/x: user may not (403 Forbidden)",
    });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(token);
  });

  it("contain no token if the server repeats it, in any form", async () => {
    const echo = `you sent ${token}, ${Buffer.from(token).toString("base64url")}`;
    server.answer = (_, response) => response.json(401, aStatus(401, "Unauthorized", echo));
    const error = (await failureOf(client.get(pods, x))) as Error;
    expect(error.message).toMatch(/^get pods default\/x: you sent \[redacted\], \[redacted\].? \(401 Unauthorized\)$/);
  });

  it.each([
    [404, "NotFound", {}, isNotFound, false],
    [409, "Conflict", {}, isConflict, true],
    [409, "AlreadyExists", {}, isAlreadyExists, false],
    [410, "Expired", {}, isGone, false],
    [403, "Forbidden", { causes: [{ reason: "NamespaceTerminating" }] }, isNamespaceTerminating, false],
    [503, "ServiceUnavailable", {}, (error: unknown) => error instanceof ApiError, true],
  ])("are distinguished: %i %s", async (status, reason, details, is, retryable) => {
    server.answer = (_, response) => response.json(status, aStatus(status, reason, "no", details));
    const error = await failureOf(client.get(pods, x));
    expect(is(error)).toBe(true);
    expect(error).toMatchObject({ retryable });
    const others = [isNotFound, isConflict, isAlreadyExists, isGone, isNamespaceTerminating, isQuotaExceeded];
    expect(others.filter((other) => other !== is && other(error))).toEqual([]);
  });

  it("recognise a used-up quota by the message", async () => {
    server.answer = (_, response) => response.json(403, aStatus(403, "Forbidden", "exceeded quota: tasks, used 5"));
    expect(isQuotaExceeded(await failureOf(client.create(pods, { metadata: x })))).toBe(true);
  });

  it("keep the delay that the server asked for", async () => {
    server.answer = (_, response) =>
      response.json(429, aStatus(429, "TooManyRequests", "slow"), { "retry-after": "3" });
    expect(await failureOf(client.get(pods, x))).toMatchObject({ retryable: true, retryAfterMs: 3_000 });
  });

  it("quote a part of an answer that is not JSON", async () => {
    server.answer = (_, response) => response.text(502, "<html>bad gateway</html>".repeat(1_000));
    const error = await failureOf(client.get(pods, x));
    expect(error).toMatchObject({ status: 502, retryable: true, message: expect.stringContaining("bad gateway") });
    expect((error as Error).message.length).toBeLessThan(1_001);
  });

  it("are retryable if the connection breaks, and the next call works", async () => {
    server.answer = (_, response) => response.reset();
    expect(await failureOf(client.get(pods, x))).toMatchObject({ status: 0, reason: "Unreachable", retryable: true });
    server.answer = (_, response) => response.json(200, { metadata: x });
    await expect(client.get(pods, x)).resolves.toEqual({ metadata: x });
    expect(await registry.metrics()).toContain('rest_client_requests_total{code="<error>",method="GET"} 1');
  });

  it("are the caller's own reason if the caller aborted", async () => {
    const abort = new AbortController();
    server.answer = () => abort.abort(new Error("no longer needed"));
    await expect(client.get(pods, x, abort.signal)).rejects.toThrow("no longer needed");
  });

  it("reject a server whose certificate is not from our CA", async () => {
    const stranger = createKubeClient({ ...server.config, tls: {} });
    const error = await failureOf(stranger.get(pods, x));
    await stranger.close();
    expect(error).toMatchObject({ status: 0 });
    expect(server.requests).toEqual([]);
  });
});

describe("lists", () => {
  const item = (name: string) => ({ metadata: { namespace: "default", name } });

  it("read every page of 500, and set the kind of the items", async () => {
    server.answer = ({ query }, response) => {
      const page = Number(query["continue"] ?? 0);
      const metadata = { resourceVersion: "7", ...(page < 2 ? { continue: String(page + 1) } : {}) };
      response.json(200, { metadata, items: [item(`i${page}`)] });
    };
    const list = await client.list(configMaps, { namespace: "default" });
    expect(list.resourceVersion).toBe("7");
    expect(list.items).toEqual(
      ["i0", "i1", "i2"].map((name) => ({ ...item(name), apiVersion: "v1", kind: "ConfigMap" })),
    );
    expect(server.requests.map(({ query }) => query["limit"])).toEqual(["500", "500", "500"]);
  });

  it("read pages of the requested size, and transform each item of each page", async () => {
    server.answer = ({ query }, response) => {
      const more = query["continue"] ? {} : { continue: "1" };
      response.json(200, { metadata: { resourceVersion: "7", ...more }, items: [item("a")] });
    };
    const seen: string[] = [];
    const { items } = await client.list(configMaps, {
      pageSize: 20,
      transform: (object) => {
        seen.push(`${object.kind} after ${server.requests.length}`);
        return { ...object, metadata: { name: "trimmed" } };
      },
    });
    expect(seen).toEqual(["ConfigMap after 1", "ConfigMap after 2"]);
    expect(items.map(({ metadata }) => metadata)).toEqual([{ name: "trimmed" }, { name: "trimmed" }]);
    expect(server.requests.map(({ query }) => query["limit"])).toEqual(["20", "20"]);
  });

  it("read the list again, unpaged, when the pages expire", async () => {
    server.answer = ({ query }, response) => {
      if (query["continue"]) return response.json(410, aStatus(410, "Expired", "the token is too old"));
      if (query["limit"])
        return response.json(200, { metadata: { resourceVersion: "7", continue: "c" }, items: [item("old")] });
      return response.json(200, { metadata: { resourceVersion: "9" }, items: [item("a"), item("b")] });
    };
    const list = await client.list(configMaps);
    expect(list.resourceVersion).toBe("9");
    expect(list.items.map(({ metadata }) => metadata.name)).toEqual(["a", "b"]);
  });

  it("accept any number of items in one page", async () => {
    const items = Array.from({ length: 200_000 }, (_, at) => item(`i${at}`));
    server.answer = (_, response) => response.json(200, { metadata: { resourceVersion: "9" }, items });
    expect((await client.list(configMaps)).items).toHaveLength(200_000);
  });

  it("accept an empty list that the server writes as null", async () => {
    server.answer = (_, response) => response.json(200, { metadata: { resourceVersion: "1" }, items: null });
    expect(await client.list(pods)).toEqual({ items: [], resourceVersion: "1" });
  });
});
