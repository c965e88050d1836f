import type { Route } from "./route.ts";

/** A route that matches a request, with decoded path parameters. */
export interface Match {
  route: Route;
  params: Record<string, string>;
}

/** Finds the route of a method and path. */
export type Router = (method: string, path: string) => Match | undefined;

/** Parameters that may contain slashes. */
const wide = new Set(["path", "ref", "branch", "basehead"]);

/** Compiles the table. If several routes match, the one with the most fixed path segments wins. */
export function createRouter(routes: Route[]): Router {
  const compiled = routes.map(compile).sort((a, b) => b.fixed - a.fixed);
  return (method, path) => {
    for (const { route, verb, pattern, names } of compiled) {
      const found = verb === method ? pattern.exec(path) : null;
      if (found) return { route, params: parameters(names, found) };
    }
    return undefined;
  };
}

function compile(route: Route): { route: Route; verb: string; pattern: RegExp; names: string[]; fixed: number } {
  const [verb = "", path = ""] = route.operation.split(" ");
  const segments = path.split("/");
  const names = segments.filter((segment) => segment.startsWith("{")).map((segment) => segment.slice(1, -1));
  const pattern = segments.map((segment) => {
    if (!segment.startsWith("{")) return segment;
    return wide.has(segment.slice(1, -1)) ? "(.+)" : "([^/]+)";
  });
  return { route, verb, pattern: new RegExp(`^${pattern.join("/")}$`), names, fixed: segments.length - names.length };
}

function parameters(names: string[], found: RegExpExecArray): Record<string, string> {
  return Object.fromEntries(names.map((name, at) => [name, decode(found[at + 1] ?? "")]));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
