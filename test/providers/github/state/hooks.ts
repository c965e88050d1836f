/** How a hook calls its receiver. `content_type` is `json` or `form`. */
export interface HookConfig {
  url: string;
  content_type: string;
  secret: string | null;
  insecure_ssl: string;
}

/** An App's, a repository's or an organisation's webhook. `targetId` is the App's, repository's or organisation's id. */
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

/** One attempt to hand one event to one hook; `guid` is shared by every hook and redelivery of the event. */
export interface Delivery {
  /** Decimal: as at GitHub, it has more digits than a JavaScript number. */
  id: string;
  guid: string;
  hookId: number;
  event: string;
  action: string | null;
  installationId: number | null;
  repositoryId: number | null;
  redelivery: boolean;
  deliveredAt: string;
  /** Seconds. */
  duration: number;
  status: string;
  statusCode: number;
  request: { headers: Record<string, string>; payload: Record<string, unknown> };
  response: { headers: Record<string, string>; payload: string };
}
