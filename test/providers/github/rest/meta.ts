import { ok, on } from "./route.ts";
import type { Call, Route } from "./route.ts";

/** Routes about the server itself. */
export const metaRoutes: Route[] = [
  on("GET /meta", "everyone", () => ok({ verifiable_password_authentication: false, installed_version: "3.19.0" })),
  on("GET /rate_limit", "everyone", (call) => ok(rates(call))),
];

function rates(call: Call): Record<string, unknown> {
  const rate = (limit: number): Record<string, number> => ({
    limit,
    used: 0,
    remaining: limit,
    reset: Math.floor(call.world.clock.now().getTime() / 1000) + 3600,
  });
  return { resources: { core: rate(5000), search: rate(30) }, rate: rate(5000) };
}
