import { commonRoutes, startAdminPort, type Admin, type AdminHandler } from "../stand-in/admin-port.ts";
import type { GitHubStandIn } from "./index.ts";

/** Starts the admin port of a stand-in: `POST /people/<verb>`, and the routes below. */
export function startAdmin(github: GitHubStandIn, at: { host: string; port: number }): Promise<Admin> {
  return startAdminPort({ people: github.people, routes: routesOf(github) }, at);
}

function routesOf(github: GitHubStandIn): Record<string, AdminHandler> {
  return {
    ...commonRoutes(github),
    "GET /requests": () => github.requests,
    "GET /git": () => github.gitCalls,
    "GET /deliveries": (_given, url) => github.deliveries(url.searchParams.get("event") ?? undefined),
    "GET /jwt": (_given, url) => ({ jwt: github.appJwt(url.searchParams.get("app") ?? "") }),
  };
}
