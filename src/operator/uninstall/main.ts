import { createHttp } from "../../integrations/http.ts";
import { httpConfig } from "../../integrations/http/settings.ts";
import { providers } from "../../integrations/registry.ts";
import type { Provider } from "../../integrations/provider.ts";
import { connect } from "../../kube/config.ts";
import { systemClock } from "../../shared/clock.ts";
import { describeError } from "../../shared/errors.ts";
import { createLogger, type Logger } from "../../shared/log.ts";
import { adviceFor } from "./advice.ts";
import { cleanUp } from "./clean-up.ts";
import { readUninstallConfig, type UninstallConfig } from "./config.ts";

/**
 * The chart's pre-delete hook: runs the clean-up and exits, with 0 if everything succeeded. It exits before the Job's own deadline, so that its
 * last message can be read.
 */
const boundMs = 200_000;

const served: Provider[] = Object.values(providers);

async function main(config: UninstallConfig, log: Logger, signal: AbortSignal): Promise<string[]> {
  const http = createHttp({ ...httpConfig(config), clock: systemClock, log });
  const { client } = await connect();
  return cleanUp(
    {
      client,
      clock: systemClock,
      log,
      fetch: http.fetch,
      providers: served,
      namespace: config.BELLHOP_NAMESPACE,
      brokerNamespace: config.BELLHOP_BROKER_NAMESPACE,
    },
    signal,
  );
}

const log = createLogger("uninstall");
const terminated = new AbortController();
process.once("SIGTERM", () => terminated.abort(new Error("the clean-up was stopped")));
// Keeps the process alive, which timers of the shared clock do not, and ends it in time.
const timer = setTimeout(
  () => terminated.abort(new Error(`the clean-up did not finish within ${boundMs / 1000} s`)),
  boundMs,
);
const config = readUninstallConfig(process.env);
const problems = await main(config, log, terminated.signal).catch((error: unknown) => [describeError(error)]);
clearTimeout(timer);
if (problems.length > 0) {
  log.error({ problems }, "Bellhop could not be taken down in order");
  const name = {
    release: config.BELLHOP_RELEASE,
    namespace: config.BELLHOP_NAMESPACE,
    brokerNamespace: config.BELLHOP_BROKER_NAMESPACE,
  };
  process.stderr.write(adviceFor(name));
}
// Connections may still be open.
process.exit(problems.length > 0 ? 1 : 0);
