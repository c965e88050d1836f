import { isGone, isNotFound } from "./errors.ts";
import { collectionPath, describeTarget, objectPath, requireNamespace, selectorQuery } from "./paths.ts";
import { type Call, type Transport, type TransportDeps, createTransport } from "./transport.ts";
import type {
  KubeClient,
  KubeConfig,
  KubeConnection,
  KubeList,
  KubeObject,
  ListOptions,
  ObjectKey,
  PageOptions,
  ResourceType,
  WriteOptions,
} from "./types.ts";
import { watchEvents } from "./watch.ts";
import { defined } from "../shared/defined.ts";

const defaultPageSize = 500;

/**
 * Creates a client for one API server. It retries nothing: errors have the field `retryable`, and queues, informers and callers decide.
 * It opens no connection before the first call.
 */
export function createKubeClient(config: KubeConfig, deps: TransportDeps = {}): KubeConnection {
  const transport = createTransport(config, deps);
  return {
    ...readers(transport),
    ...writers(transport),
    ...patches(transport),
    watch: (type, options) => watchEvents(transport, type, options),
    close: () => transport.close(),
  };
}

function readers(transport: Transport): Pick<KubeClient, "get" | "find" | "list"> {
  const get: KubeClient["get"] = (type, key, signal) =>
    send(
      transport,
      { method: "GET", path: objectPath(type, key), what: `get ${describeTarget(type, key)}` },
      { signal },
    );
  return {
    get,
    find: (type, key, signal) => get(type, key, signal).catch(undefinedWhenNotFound),
    list: (type, options = {}) => listAll(transport, type, options),
  };
}

function writers(
  transport: Transport,
): Pick<KubeClient, "create" | "replace" | "replaceStatus" | "delete" | "createSubresource"> {
  return {
    create(type, object, options) {
      requireNamespace(type, object.metadata);
      return send(
        transport,
        {
          method: "POST",
          path: collectionPath(type, object.metadata.namespace),
          body: typed(type, object),
          what: `create ${describeTarget(type, object.metadata)}`,
        },
        options,
      );
    },
    replace: (type, object, options) => put(transport, type, object, { ...options }),
    replaceStatus: (type, object, options) => put(transport, type, object, { ...options, subresource: "status" }),
    delete: (type, key, options) => remove(transport, type, key, options ?? {}),
    createSubresource: (type, key, ...[subresource, body, signal]) =>
      send(
        transport,
        {
          method: "POST",
          path: objectPath(type, key, subresource),
          body,
          what: `create ${subresource} of ${describeTarget(type, key)}`,
        },
        { signal },
      ),
  };
}

function patches(transport: Transport): Pick<KubeClient, "mergePatch" | "jsonPatch" | "apply"> {
  const patch = <R>(call: PatchCall, options: SubresourceOptions = {}): Promise<R> =>
    send(
      transport,
      {
        method: "PATCH",
        path: objectPath(call.type, call.key, options.subresource),
        body: call.body,
        contentType: `application/${call.format}`,
        what: `${call.verb} ${describeTarget(call.type, call.key)}`,
        ...(call.force ? { query: { force: "true" } } : {}),
      },
      options,
    );
  return {
    mergePatch: (type, key, body, options) =>
      patch({ type, key, body, format: "merge-patch+json", verb: "patch" }, options),
    jsonPatch: (type, key, body, options) =>
      patch({ type, key, body, format: "json-patch+json", verb: "patch" }, options),
    apply: (type, object, options) =>
      patch(
        {
          type,
          key: object.metadata,
          body: typed(type, object),
          format: "apply-patch+yaml",
          verb: "apply",
          force: true,
        },
        options,
      ),
  };
}

type SubresourceOptions = WriteOptions & { subresource?: string };

interface PatchCall {
  type: ResourceType<KubeObject>;
  key: ObjectKey;
  body: object;
  /** JSON is also YAML, so server-side apply sends it as `apply-patch+yaml`. */
  format: "merge-patch+json" | "json-patch+json" | "apply-patch+yaml";
  verb: "patch" | "apply";
  force?: boolean;
}

function put<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  object: T,
  options: SubresourceOptions,
): Promise<T> {
  const part = options.subresource === undefined ? "" : `${options.subresource} of `;
  return send(
    transport,
    {
      method: "PUT",
      path: objectPath(type, object.metadata, options.subresource),
      body: typed(type, object),
      what: `replace ${part}${describeTarget(type, object.metadata)}`,
    },
    options,
  );
}

async function remove(
  transport: Transport,
  type: ResourceType<KubeObject>,
  key: ObjectKey,
  options: Parameters<KubeClient["delete"]>[2] & object,
): Promise<void> {
  const body = {
    apiVersion: "v1",
    kind: "DeleteOptions",
    propagationPolicy: "Background",
    ...(options.uid === undefined ? {} : { preconditions: { uid: options.uid } }),
    ...defined({ gracePeriodSeconds: options.gracePeriodSeconds }),
  };
  const call: Call = {
    method: "DELETE",
    path: objectPath(type, key),
    body,
    what: `delete ${describeTarget(type, key)}`,
  };
  await send(transport, call, options).catch(undefinedWhenNotFound);
}

async function listAll<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: ListOptions & PageOptions<T>,
): Promise<KubeList<T>> {
  const items: T[] = [];
  const { transform = (item: T) => item } = options;
  const apiVersion = type.group === "" ? type.version : `${type.group}/${type.version}`;
  // Pushed one by one: an unpaged list may have more items than a call may have arguments (about 125,000).
  const append = (page: readonly T[]): void => {
    for (const item of page) items.push(transform({ ...item, apiVersion, kind: type.kind }));
  };
  let page = await listPage(transport, type, options, { limit: pageLimit(options) });
  append(page.items);
  while (page.metadata.continue) {
    const next = await nextPage(transport, type, options, page.metadata.continue);
    if (next.fresh) items.length = 0;
    page = next.page;
    append(page.items);
  }
  return { items, resourceVersion: page.metadata.resourceVersion };
}

type Paging = Pick<PageOptions<never>, "pageSize">;

function pageLimit({ pageSize = defaultPageSize }: Paging): string {
  return String(pageSize);
}

interface Page<T> {
  items: T[];
  metadata: { resourceVersion: string; continue?: string };
}

/** If the continue token expires (410), reads the whole list at once, as client-go's pager does. */
async function nextPage<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: ListOptions & Paging,
  token: string,
): Promise<{ page: Page<T>; fresh: boolean }> {
  try {
    const page = await listPage(transport, type, options, { limit: pageLimit(options), continue: token });
    return { page, fresh: false };
  } catch (error) {
    if (!isGone(error)) throw error;
    return { page: await listPage(transport, type, options, {}), fresh: true };
  }
}

async function listPage<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: ListOptions,
  paging: Record<string, string>,
): Promise<Page<T>> {
  const answer = await send<{ items?: T[] | null; metadata?: Partial<Page<T>["metadata"]> }>(
    transport,
    {
      method: "GET",
      path: collectionPath(type, options.namespace),
      query: { ...selectorQuery(options), ...paging },
      what: `list ${describeTarget(type, options)}`,
    },
    options,
  );
  return { items: answer.items ?? [], metadata: { resourceVersion: "", ...answer.metadata } };
}

/** Answers of the API server are assumed to have the shape of their type, because the server validated them. */
async function send<R>(
  transport: Transport,
  call: Call,
  options: { fieldManager?: string; dryRun?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<R> {
  const answer = await transport.call({
    ...call,
    query: {
      ...call.query,
      ...defined({ fieldManager: options.fieldManager }),
      ...(options.dryRun ? { dryRun: "All" } : {}),
    },
    ...defined({ signal: options.signal }),
  });
  return answer as R;
}

function typed<T extends object>(type: ResourceType<KubeObject>, object: T): T & { apiVersion: string; kind: string } {
  return {
    ...object,
    apiVersion: type.group === "" ? type.version : `${type.group}/${type.version}`,
    kind: type.kind,
  };
}

function undefinedWhenNotFound(error: unknown): undefined {
  if (isNotFound(error)) return undefined;
  throw error;
}
