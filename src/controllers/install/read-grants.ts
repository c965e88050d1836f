import type { Integration } from "../../integrations/integration.ts";
import type { Provider } from "../../integrations/provider.ts";
import type { ConnectDeps } from "../../integrations/sign-in.ts";
import { readGrantSecret, type GrantSecretDeps } from "./grant-secret.ts";

/**
 * Reads the grants of an integration for `connect`. Grants of accounts that the spec does not allow any more are left out at once; the operator
 * revokes and removes them at the next reconcile.
 */
export function grantReader(
  deps: GrantSecretDeps,
  provider: Provider,
  integration: Integration,
): ConnectDeps["readGrants"] {
  return async () => {
    const accounts = provider.install?.accounts(integration);
    const { uid } = integration.metadata;
    if (!accounts || uid === undefined) return [];
    const { grants = [] } = (await readGrantSecret(deps, uid)) ?? {};
    return grants.filter(({ account }) => accounts.includes(account));
  };
}
