import { readFileSync } from "node:fs";
import { Agent, request } from "undici";

/** The enforcer's calls to the API server. */
export interface ClusterAPI {
  /** Every object of a collection, read from etcd, not from a cache. `path` as in `/api/v1/pods`. */
  list<T>(path: string): Promise<T[]>;
  /** Calls `changed` for each change of the collection, and once at each connection. Never ends. */
  watch(path: string, changed: () => void): Promise<never>;
}

interface Kubeconfig {
  clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
  users: { user: { "client-certificate-data": string; "client-key-data": string } }[];
}

/** Creates a client from one of the node's kubeconfigs, which are JSON and contain their certificates. */
export function clusterAPI(kubeconfigPath: string): ClusterAPI {
  const { server, agent } = connection(kubeconfigPath);
  return {
    async list<T>(path: string) {
      const { statusCode, body } = await request(`${server}${path}`, { dispatcher: agent });
      if (statusCode !== 200) {
        await body.dump();
        throw new Error(`GET ${path} answered ${statusCode}`);
      }
      return ((await body.json()) as { items: T[] }).items;
    },
    async watch(path, changed) {
      for (;;) {
        await watchOnce(`${server}${path}?watch=true&timeoutSeconds=300`, agent, changed).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 250)); // The API server is down, or the watch expired.
      }
    },
  };
}

async function watchOnce(url: string, dispatcher: Agent, changed: () => void): Promise<void> {
  const { statusCode, body } = await request(url, { dispatcher, bodyTimeout: 0 });
  if (statusCode !== 200) throw new Error(`a watch answered ${statusCode}`);
  changed();
  for await (const _ of body) changed();
}

function connection(kubeconfigPath: string): { server: string; agent: Agent } {
  const config = JSON.parse(readFileSync(kubeconfigPath, "utf8")) as Kubeconfig;
  const cluster = config.clusters[0]?.cluster;
  const user = config.users[0]?.user;
  if (!cluster || !user) throw new Error(`${kubeconfigPath} names no cluster or no user`);
  const decode = (data: string): Buffer => Buffer.from(data, "base64");
  const connect = {
    ca: decode(cluster["certificate-authority-data"]),
    cert: decode(user["client-certificate-data"]),
    key: decode(user["client-key-data"]),
  };
  return { server: cluster.server, agent: new Agent({ connect }) };
}
