import { isBrowser, newBrowser, newState } from "./state.ts";
import { contentOf, targetOf, type InstallDeps, type InstallRequest } from "./target.ts";

/**
 * Begins an installation: returns the page of the provider, and the value of the browser's cookie. A browser keeps its value, so that several
 * pages can be open at once. Throws `BellhopError`: `NotFound`, `NotPrepared`.
 */
export async function beginInstall(
  deps: InstallDeps,
  request: InstallRequest,
  signal: AbortSignal,
): Promise<{ location: string; browser: string }> {
  const target = targetOf(deps, request);
  const { stateKey } = await contentOf(deps, target, signal);
  const browser = isBrowser(request.browser) ? request.browser : newBrowser();
  const state = newState(stateKey, { uid: target.uid, browser }, deps.clock.now());
  const { flow, integration, redirectURL } = target;
  return { location: flow.authorizeURL(integration, { state, redirectURL }), browser };
}
