import { Agent, fetch } from "undici";

/** The API server behind a `kubectl proxy` on a Unix socket, which crosses network namespaces. */
export interface Api {
  /** GET of a path: the object, or undefined if there is none. Throws for every other answer. */
  get<T>(path: string): Promise<T | undefined>;
  close(): Promise<void>;
}

/** Creates the client; it opens no connection yet. */
export function apiBehind(socketPath: string): Api {
  const dispatcher = new Agent({ connect: { socketPath } });
  return {
    async get<T>(path: string): Promise<T | undefined> {
      const response = await fetch(`http://localhost${path}`, { dispatcher });
      const text = await response.text();
      if (response.status === 404) return undefined;
      if (!response.ok)
        throw new Error(`the API server answered ${response.status} to GET ${path}: ${text.slice(0, 300)}`);
      return JSON.parse(text) as T;
    },
    close: () => dispatcher.close(),
  };
}
