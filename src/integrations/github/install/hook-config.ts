import type { DesiredHooks } from "../../connection.ts";

/** The configuration of a hook, as GitHub takes it. */
export function configOf({ url, secret }: Pick<DesiredHooks, "url" | "secret">): {
  url: string;
  content_type: string;
  insecure_ssl: string;
  secret: string;
} {
  return { url, content_type: "json", insecure_ssl: "0", secret };
}
