import path from "node:path";
import { systemClock } from "../shared/clock.ts";
import { describeError, errorCode } from "../shared/errors.ts";
import { createLogger, type Logger } from "../shared/log.ts";
import { contextFiles } from "../sandbox/protocol/layout.ts";
import type { OutcomeReason } from "../sandbox/protocol/outcome.ts";
import type { SandboxSpec } from "../sandbox/protocol/sandbox-spec.ts";
import { type Broker, brokerClient } from "./broker.ts";
import { checkout } from "./checkout/index.ts";
import { writeAgentGitConfig } from "./checkout/agent-input.ts";
import { answers } from "./checkout/probe-egress.ts";
import { writeOutcome } from "./outcome.ts";
import { type Places, placesFrom, readSpec } from "./settings.ts";
import { run } from "./run/index.ts";

const usage = `usage: courier checkout | courier run

  checkout  init container: checks that egress is closed, checks out the repository, writes the agent's input
  run       sidecar: follows the agent, commits and publishes its work

Both read their paths from BELLHOP_… variables, which the sandbox pod sets.
`;

async function main(args: readonly string[], log: Logger): Promise<number> {
  const [command, ...rest] = args;
  if (rest.length > 0 || (command !== "checkout" && command !== "run")) {
    const problem = command === undefined ? "no command" : `unknown command: ${args.join(" ")}`;
    process.stderr.write(`courier: ${problem}\n\n${usage}`);
    return 2;
  }
  // Files that the courier writes into shared volumes must be writable for the agent's group, which folders there pass on.
  process.umask(0o002);
  const places = placesFrom(process.env);
  return command === "checkout" ? checkoutCommand(places, log) : runCommand(places, log);
}

async function checkoutCommand(places: Places, log: Logger): Promise<number> {
  const spec = readSpec(places.context);
  try {
    const broker = connect(places, spec);
    await checkout(places, spec, { clock: systemClock, log, broker, answers });
    return 0;
  } catch (error) {
    log.error({ error }, "the checkout failed");
    writeOutcome(places.terminationLog, spec.attempt, { reason: checkoutReason(error), message: describeError(error) });
    return 1;
  }
}

async function runCommand(places: Places, log: Logger): Promise<number> {
  const terminate = new AbortController();
  process.on("SIGTERM", () => terminate.abort(new Error("SIGTERM")));
  const spec = readSpec(places.context);
  const broker = connect(places, spec);
  await run(places, spec, { clock: systemClock, log, broker, terminate: terminate.signal });
  return 0;
}

function connect(places: Places, spec: SandboxSpec): Broker {
  return brokerClient({
    clock: systemClock,
    baseURL: spec.brokerURL,
    repositoryId: spec.repository.id,
    caFile: path.join(places.context, contextFiles.ca),
    tokenFile: places.tokenFile,
    onSession: ({ agentCapability }) =>
      writeAgentGitConfig(places, {
        brokerURL: spec.brokerURL,
        capability: agentCapability,
        author: spec.commit.author,
      }),
  });
}

function checkoutReason(error: unknown): OutcomeReason {
  const code = errorCode(error);
  if (code === "EgressNotEnforced" || code === "BrokerUnreachable") return code;
  return "CheckoutFailed";
}

const log = createLogger("courier");
// Timers of the shared clock do not keep the process alive. This timer does, until there is an exit code.
const keepAlive = setInterval(() => {}, 60_000);
try {
  process.exitCode = await main(process.argv.slice(2), log);
} catch (error) {
  process.stderr.write(`courier: ${describeError(error)}\n`);
  process.exitCode = 1;
}
clearInterval(keepAlive);
// Connections to the broker may still be open.
process.exit();
