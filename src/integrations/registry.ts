import { github } from "./github/index.ts";
import type { Provider, ProviderName } from "./types.ts";

/** Every provider we speak. A new one is a folder and a line here. */
export const providers = { github } satisfies Record<ProviderName, Provider>;

/** The provider of a name, as a route or a task carries it. */
export function providerNamed(name: string): Provider | undefined {
  return Object.values<Provider>(providers).find((provider) => provider.name === name);
}
