import { z } from "zod";
import { httpSettings } from "../../integrations/http/settings.ts";
import { readSettings } from "../../shared/environment.ts";
import { settings } from "../config.ts";

const uninstallSettings = settings.pick({ BELLHOP_NAMESPACE: true, BELLHOP_BROKER_NAMESPACE: true }).extend({
  ...httpSettings,
  /** Name of the helm release, for messages. */
  BELLHOP_RELEASE: z.string().min(1),
});
export type UninstallConfig = z.infer<typeof uninstallSettings>;

/** Reads the settings of the clean-up; throws a `BellhopError` that names each invalid variable. */
export function readUninstallConfig(environment: Record<string, string | undefined>): UninstallConfig {
  return readSettings(uninstallSettings, environment);
}
