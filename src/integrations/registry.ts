import type { ProviderName } from "../api/integration-kinds.ts";
import { github } from "./github/index.ts";
import { slack } from "./slack/index.ts";
import type { Provider, ProviderOf } from "./provider.ts";

/** All supported providers. To add one, add its folder and a line here; the compiler compares this list with `src/api/integration-kinds.ts`. */
export const providers = { github, slack } satisfies { [Name in ProviderName]: ProviderOf<Name> };

/** Finds a provider by the name that a webhook route or a task carries. */
export function providerNamed(name: string): Provider | undefined {
  return Object.values<Provider>(providers).find((provider) => provider.name === name);
}
