import { github } from "./github/index.ts";
import { slack } from "./slack/index.ts";
import type { Provider, ProviderName } from "./types.ts";

/** All supported providers. To add one, add its folder and a line here. */
export const providers = { github, slack } satisfies Record<ProviderName, Provider>;

/** Finds a provider by the name that a webhook route or a task carries. */
export function providerNamed(name: string): Provider | undefined {
  return Object.values<Provider>(providers).find((provider) => provider.name === name);
}
