import { expect, it } from "vitest";
import { AgentTaskKind, type AgentTask } from "../../../api/kinds.ts";
import { aConnection, aThread } from "../../../integrations/testing.ts";
import { isConflict } from "../../../kube/errors.ts";
import { createFakeClient } from "../../../kube/testing.ts";
import { runSteps } from "../frame.ts";
import {
  anIntegration,
  aTask,
  integrationOf,
  rendered,
  taskCacheOf,
  taskDeps,
  type TaskOverrides,
} from "../testing.ts";
import { reportStep } from "./index.ts";

/** An API server with one task, and a thread whose list does not show the newest message yet. */
function aWorld(given: TaskOverrides = { conditions: ["Authorized"] }) {
  const kube = createFakeClient();
  const newest = (): AgentTask => kube.only(AgentTaskKind);
  const versions = [kube.seed(AgentTaskKind, aTask(given))];
  kube.after = ({ verb }) => verb === "replaceStatus" && versions.push(newest());
  const comments: string[] = [];
  const thread = aThread({
    post: async (_target, report) => ({ id: String(comments.push(rendered(report))), url: "https://x" }),
    answer: async (_target, report) => void comments.push(rendered(report)),
    update: async () => {},
  });
  const integration = anIntegration({ reporting: { reaction: false } });
  const deps = taskDeps({
    kube,
    tasks: { ...taskCacheOf([]), get: newest },
    findIntegration: integrationOf(async () => aConnection({ thread }), integration),
  });
  return {
    versions,
    comments,
    reconcile: (task: AgentTask) => runSteps(deps, [reportStep], task, AbortSignal.timeout(5_000)),
  };
}

it("posts a report once, even if the cache shows only the intent, and the provider's list is behind as well", async () => {
  const { versions, comments, reconcile } = aWorld();
  const [first] = versions;
  if (!first) throw new Error("the world begins with a task");
  await reconcile(first);
  const stale = versions.find(({ status }) => status?.report?.intent !== undefined && status.report.id === undefined);
  if (!stale) throw new Error("the intent is written before the message");
  await expect(reconcile(stale)).rejects.toSatisfy(isConflict);
  expect(comments).toHaveLength(1);
  expect(versions.at(-1)?.status?.report?.id).toBe("1");
});

it("shows the answer to a slash command once, even if the cache shows only the intent", async () => {
  const { versions, comments, reconcile } = aWorld({
    source: { signal: { type: "SlashCommand" } },
    spec: { command: "status" },
    conditions: ["Authorized", { type: "Succeeded", reason: "Status", message: "Nothing runs." }],
  });
  const [first] = versions;
  if (!first) throw new Error("the world begins with a task");
  await reconcile(first);
  const stale = versions.find(({ status }) => status?.report?.intent !== undefined && !status.report.revision);
  if (!stale) throw new Error("the intent is written before the answer");
  await expect(reconcile(stale)).rejects.toSatisfy(isConflict);
  expect(comments).toHaveLength(1);
});
