import { maxOffered, type IntegrationFacts } from "../../intake/gateway-facts.ts";
import { createMemo } from "../../shared/memo.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { Provider } from "../../integrations/provider.ts";
import { BellhopError } from "../../shared/errors.ts";
import {
  integrationFinder,
  type FindIntegration,
  type IntegrationHandle,
  type IntegrationSource,
  type SignInDeps,
} from "../integration-handle.ts";
import { retryWaitMs } from "../provider-failure.ts";

/** The entries of all integrations share a ConfigMap of 1 MiB. A hundred names of usual length take half of this. */
const maxBytes = 8 * 1024;

/** How long the names of public repositories are cached. A repository that becomes private can be offered for this long. */
const listedForMs = 10 * 60_000;

type Offered = IntegrationFacts["offered"];

const minRetryMs = 60_000;

/** The names of public repositories that the code host of an integration covers. */
export interface PublicNames {
  /**
   * Lists them, or returns the cached list, which is empty if there is no code host. If the code host does not answer: the time after which to
   * ask again.
   */
  of(integration: Integration, signal: AbortSignal): Promise<{ names: readonly string[] } | { retryMs: number }>;
}

/** Creates the lists for all integrations. Integrations with the same code host share one. */
export function publicNames(deps: SignInDeps & { sources: readonly IntegrationSource[] }): PublicNames {
  const find = integrationFinder(deps, deps.sources);
  const memo = createMemo<readonly string[]>(deps.clock, listedForMs);
  return {
    async of(integration, signal) {
      const { codeHostRef } = integration.spec;
      const host = codeHostRef && find({ ...codeHostRef, namespace: integration.metadata.namespace });
      if (!host) return { names: [] };
      try {
        return { names: await memo(keyOf(host), () => list(host, signal)) };
      } catch (error) {
        if (!(error instanceof BellhopError)) throw error;
        const { name, namespace } = integration.metadata;
        deps.log.warn(
          { error, integration: name, namespace },
          "could not list the repositories that people may choose",
        );
        return { retryMs: Math.max(minRetryMs, retryWaitMs(error)) };
      }
    },
  };
}

async function list(host: IntegrationHandle, signal: AbortSignal): Promise<readonly string[]> {
  const { codeHost } = await host.connect();
  return (await codeHost?.repositoryNames({ limit: maxOffered, publicOnly: true }, signal)) ?? [];
}

/** A code host that was edited, or that could not sign in before, has another list. */
function keyOf(host: IntegrationHandle): string {
  const { provider, integration } = host;
  return JSON.stringify([provider.kind, integration.metadata.uid, integration.metadata.generation, isReady(host)]);
}

function isReady({ integration: { status } }: IntegrationHandle): boolean {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status !== "False";
}

/** An integration whose repositories are offered. */
interface Offering {
  provider: Provider;
  integration: Integration;
  /** Finds its code host. */
  find: FindIntegration;
}

/**
 * The repositories that gateways may offer: those that the administrator mapped to places, each only there, then the public ones. Only those that
 * the code host's integration covers. At most 100, and at most 8 KiB; an entry that is too long for the rest is left out. Pure.
 */
export function offeredRepositories({ provider, integration, find }: Offering, publicOnes: readonly string[]): Offered {
  const { codeHostRef } = integration.spec;
  const host = codeHostRef && find({ ...codeHostRef, namespace: integration.metadata.namespace });
  if (!host || !provider.ingress.offersRepositories) return [];
  // As long as the code host cannot be asked, nobody knows whether a repository is still public.
  const listed = isReady(host) ? publicOnes : [];
  const known = new Set(listed);
  const mapped = (provider.mappedRepositories?.(integration) ?? []).filter(({ name }) => isCovered(host, name));
  const entries = [
    ...mapped.filter(({ name }) => !known.has(name)).map(({ name, places }) => ({ name, places: [...places] })),
    ...listed.map((name) => ({ name })),
  ];
  return withinBounds(entries);
}

function isCovered({ provider, integration }: IntegrationHandle, fullName: string): boolean {
  const [owner = "", name = ""] = fullName.split("/");
  const repository = { id: "", host: provider.host(integration), owner, name, private: true };
  return provider.covers(integration, { repository });
}

function withinBounds(entries: Offered): Offered {
  const kept: Offered = [];
  let left = maxBytes;
  for (const entry of entries) {
    const size = Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (size > left || kept.length >= maxOffered) continue;
    left -= size;
    kept.push(entry);
  }
  return kept;
}
