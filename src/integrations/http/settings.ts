import { list, text } from "../../shared/environment.ts";
import type { HttpConfig } from "../http.ts";

/** Environment variables of every process that calls providers; part of the process's own settings. */
export const httpSettings = {
  /** Hosts of providers that may have private addresses. */
  BELLHOP_ALLOWED_HOSTS: list.default([]),
  /** The cluster's own address ranges (CIDR), which are never called. */
  BELLHOP_REFUSED_RANGES: list.default([]),
  /** A PEM file with additional certificate authorities for providers. */
  BELLHOP_CA_FILE: text,
  HTTPS_PROXY: text,
  HTTP_PROXY: text,
  NO_PROXY: text,
};

interface HttpSettings {
  BELLHOP_ALLOWED_HOSTS: string[];
  BELLHOP_REFUSED_RANGES: string[];
  BELLHOP_CA_FILE?: string | undefined;
  HTTPS_PROXY?: string | undefined;
  HTTP_PROXY?: string | undefined;
  NO_PROXY?: string | undefined;
}

/** The part of `HttpConfig` that the environment sets. */
export function httpConfig(
  settings: HttpSettings,
): Pick<HttpConfig, "proxy" | "caFile" | "allowedHosts" | "refusedRanges"> {
  return {
    proxy: { https: settings.HTTPS_PROXY, http: settings.HTTP_PROXY, none: settings.NO_PROXY },
    caFile: settings.BELLHOP_CA_FILE,
    allowedHosts: settings.BELLHOP_ALLOWED_HOSTS,
    refusedRanges: settings.BELLHOP_REFUSED_RANGES,
  };
}
