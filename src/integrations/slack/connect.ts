import type { TaskSource } from "../../api/agent-task.ts";
import type { SlackApp } from "../../api/slack-app.ts";
import type { Connection, Thread } from "../connection.ts";
import { isProviderFailure } from "../errors.ts";
import type { Provider } from "../provider.ts";
import { authorizer } from "./authorizer.ts";
import { identity } from "./identity.ts";
import { hasPlace } from "./place.ts";
import { excerpt } from "./report/excerpt.ts";
import { source } from "./source.ts";
import { thread } from "./thread.ts";
import { createSignIns } from "../sign-ins.ts";
import { workspaces, type SignIn, type Workspaces } from "./workspaces.ts";

/** Signs in to Slack with the app's bot token, or with the tokens of the install flow. */
export const connect: Provider<SlackApp>["connect"] = connector();

/** Creates a `connect` with its own cache. `throttle: false` sends calls without pauses, for tests against a stand-in. */
export function connector(options: { throttle?: boolean } = {}): Provider<SlackApp>["connect"] {
  const signIns = createSignIns<SignIn>();
  const throttle = options.throttle ?? true;
  return async (integration, deps) =>
    connection(integration, await workspaces(integration, deps, { signIns, throttle }));
}

/** Every call uses the token of the workspace that the task comes from. */
function connection(integration: SlackApp, signIns: Workspaces): Connection {
  const at = (of: TaskSource): ReturnType<typeof inWorkspace> => inWorkspace(integration, signIns.of(of));
  return {
    identity: identity(integration, signIns.all),
    authorizer: { may: async (request, signal) => at(request.source).authorizer.may(request, signal) },
    source: {
      reread: async (target, signal) => at(target.source).source.reread(target, signal),
      gather: async (target, options, signal) => at(target.source).source.gather(target, options, signal),
    },
    thread: threads(integration, at),
  };
}

/** `Required`: a method that is not passed on would be missing without an error. */
function threads(
  integration: SlackApp,
  at: (of: TaskSource) => Pick<ReturnType<typeof inWorkspace>, "thread">,
): Required<Thread> {
  return {
    turn(target, write) {
      try {
        return at(target.source).thread.turn(target, write);
      } catch (error) {
        if (!isProviderFailure(error, "Suspended")) throw error;
        return 0; // the write itself fails with the reason, and the report records it
      }
    },
    acknowledge: async (target, signal) => at(target.source).thread.acknowledge(target, signal),
    has: hasPlace,
    excerpt: (text, mention) => excerpt(text, { mention, botId: botIn(integration, text) }),
    post: async (target, ...rest) => at(target.source).thread.post(target, ...rest),
    ask: async (target, ...rest) => at(target.source).thread.ask(target, ...rest),
    answer: async (target, ...rest) => at(target.source).thread.answer(target, ...rest),
    update: async (target, ...rest) => at(target.source).thread.update(target, ...rest),
    find: async (target, ...rest) => at(target.source).thread.find(target, ...rest),
  };
}

function inWorkspace(integration: SlackApp, { client, who, members }: SignIn) {
  const authorizes = authorizer(integration, { client, who, members });
  return {
    authorizer: authorizes,
    source: source({ client, who, authorizer: authorizes }),
    thread: thread(client, who),
  };
}

/** The bot user that a text mentions: it has another id in each workspace. */
function botIn({ status }: SlackApp, text: string): string | undefined {
  const ids = (status?.installations ?? []).flatMap(({ botId }) => botId ?? []);
  return ids.find((id) => text.includes(`<@${id}`)) ?? status?.bot?.id;
}
