import { z } from "zod";
import { readSettings } from "../../shared/environment.ts";
import { settings } from "../config.ts";

const uninstallSettings = settings
  .pick({
    BELLHOP_NAMESPACE: true,
    BELLHOP_BROKER_NAMESPACE: true,
    BELLHOP_ALLOWED_HOSTS: true,
    BELLHOP_REFUSED_RANGES: true,
    BELLHOP_CA_FILE: true,
    HTTPS_PROXY: true,
    HTTP_PROXY: true,
    NO_PROXY: true,
  })
  .extend({
    /** Name of the helm release, for messages. */
    BELLHOP_RELEASE: z.string().min(1),
  });
export type UninstallConfig = z.infer<typeof uninstallSettings>;

/** Reads the settings of the clean-up; throws a `BellhopError` that names each invalid variable. */
export function readUninstallConfig(environment: Record<string, string | undefined>): UninstallConfig {
  return readSettings(uninstallSettings, environment);
}
