import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import { codeHostRefOf } from "../../controllers/agent-task/state.ts";
import { createTaskCredentials } from "../../controllers/agent-task/broker-secrets.ts";
import { taskPages } from "../../controllers/agent-task/task-index.ts";
import { integrationFinder, type SignInDeps, type IntegrationSource } from "../../controllers/integration-handle.ts";
import type { Provider } from "../../integrations/provider.ts";
import { integrationType } from "../../integrations/resource-type.ts";
import type { KubeConnection } from "../../kube/types.ts";
import { eachObject, type Tally } from "./each-object.ts";

/** Providers that do not answer must not block an uninstall; the tokens expire within an hour. */
const boundMs = 30_000;

/** Dependencies of `revokeTokens`. */
export interface RevokeDeps extends SignInDeps {
  client: KubeConnection;
  brokerNamespace: string;
  providers: readonly Provider[];
}

/** Revokes the git tokens that tasks still have, as many as possible within 30 s. Throws `ApiError`, or an error after that time. */
export async function revokeTokens(deps: RevokeDeps, signal: AbortSignal): Promise<Tally> {
  const budget = new AbortController();
  const cancel = deps.clock.after(boundMs, () => budget.abort(new Error(`no answer within ${boundMs / 1000} s`)));
  try {
    return await revokeAll(deps, AbortSignal.any([signal, budget.signal]));
  } finally {
    cancel();
  }
}

async function revokeAll(deps: RevokeDeps, signal: AbortSignal): Promise<Tally> {
  const { client, clock, log, brokerNamespace } = deps;
  const credentials = createTaskCredentials({ kube: client, brokerNamespace, clock, log });
  await credentials.load(signal);
  const findIntegration = integrationFinder(deps, await integrationSources(deps, signal));
  const revoke = async (task: AgentTask): Promise<boolean> => {
    if (!credentials.holds(task)) return false;
    const { namespace } = task.metadata;
    const codeHost = (await findIntegration({ ...codeHostRefOf(task), namespace })?.connect())?.codeHost;
    if (codeHost) await credentials.revoke(task, codeHost, signal);
    return codeHost !== undefined;
  };
  const { items } = await client.list(AgentTaskKind, { ...taskPages, signal });
  return eachObject(items, revoke, signal);
}

/** Reads the integrations from the API server, because there is no informer here. */
function integrationSources({ client, providers }: RevokeDeps, signal: AbortSignal): Promise<IntegrationSource[]> {
  return Promise.all(
    providers.map(async (provider) => {
      const { items } = await client.list(integrationType(provider), { signal });
      const get: IntegrationSource["get"] = ({ namespace, name }) =>
        items.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
      return { provider, get, list: () => items };
    }),
  );
}
