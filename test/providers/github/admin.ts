import { startAdminPort } from "../admin-port.ts";
import type { Admin, AdminHandler } from "../admin-port.ts";
import type { Failure, FailureMatch, FailureSpan } from "./failures.ts";
import type { GitHubStandIn } from "./index.ts";

/** Starts the admin port of a stand-in: `POST /people/<verb>`, and the routes below. */
export function startAdmin(github: GitHubStandIn, at: { host: string; port: number }): Promise<Admin> {
  return startAdminPort({ people: github.people, routes: routesOf(github) }, at);
}

function routesOf(github: GitHubStandIn): Record<string, AdminHandler> {
  return {
    "GET /healthz": () => ({ ok: true }),
    "GET /requests": () => github.requests,
    "GET /git": () => github.gitCalls,
    "GET /deliveries": (_given, url) => github.deliveries(url.searchParams.get("event") ?? undefined),
    "GET /violations": () => github.violations,
    "GET /jwt": (_given, url) => ({ jwt: github.appJwt(url.searchParams.get("app") ?? "") }),
    "POST /fail": (given) => {
      const { match, failure, span } = given as { match: FailureMatch; failure: Failure; span?: FailureSpan };
      github.fail(match, failure, span);
      return {};
    },
    "DELETE /fail": () => {
      github.clearFailures();
      return {};
    },
    "POST /settled": async () => {
      await github.settled();
      return {};
    },
  };
}
