/** The configuration of a hook. `content_type` is `json` or `form`. */
export interface HookConfig {
  url: string;
  content_type: string;
  secret: string | null;
  insecure_ssl: string;
}

/** A webhook of an App, a repository or an organisation; `targetId` is the id of that App, repository or organisation. */
export interface Hook {
  id: number;
  target: "integration" | "repository" | "organization";
  targetId: number;
  config: HookConfig;
  events: string[];
  active: boolean;
  createdAt: string;
  updatedAt: string;
  lastResponse: { code: number | null; status: string; message: string | null };
}

/** One attempt to deliver an event to a hook. All hooks and all redeliveries of the event share the `guid`. */
export interface Delivery {
  /** Decimal text: like GitHub's ids, it has more digits than a JavaScript number can hold. */
  id: string;
  guid: string;
  hookId: number;
  event: string;
  action: string | null;
  installationId: number | null;
  repositoryId: number | null;
  redelivery: boolean;
  deliveredAt: string;
  /** In seconds. */
  duration: number;
  status: string;
  statusCode: number;
  request: { headers: Record<string, string>; payload: Record<string, unknown> };
  response: { headers: Record<string, string>; payload: string };
}
