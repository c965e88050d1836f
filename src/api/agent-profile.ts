import { z } from "zod";
import { conditions, duration, localRef } from "./common.ts";
import { branchPrefix } from "./git-name.ts";

const quantity = z
  .string()
  .min(1)
  .max(32)
  .regex(/^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/);

const resourceList = z
  .object({
    cpu: quantity.optional().describe("Cores, for example `500m` or `2`."),
    memory: quantity.optional().describe("Bytes, for example `4Gi`."),
    "ephemeral-storage": quantity.optional().describe("Bytes of scratch space, for example `10Gi`."),
  })
  .describe("Amounts of a container's resources.");

const volume = z
  .object({
    name: z
      .string()
      .min(1)
      .max(40)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
      .describe("Name of the volume, unique in the profile."),
    mountPath: z
      .string()
      .min(2)
      .max(255)
      .regex(/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/)
      .describe(
        "Path in the agent's container: absolute, without empty or dotted parts, and not in Bellhop's own folders (`/workspace`, `/bellhop`).",
      ),
    readOnly: z.boolean().default(false).describe("Whether the agent may only read it."),
    emptyDir: z
      .object({ sizeLimit: quantity.describe("Maximum size.") })
      .optional()
      .describe("An empty scratch volume."),
    configMap: localRef.optional().describe("A ConfigMap in the same namespace; always mounted read-only."),
    persistentVolumeClaim: localRef
      .optional()
      .describe("A PersistentVolumeClaim in the same namespace, for example a cache."),
  })
  .meta({
    "x-kubernetes-validations": [
      {
        rule: "[has(self.emptyDir), has(self.configMap), has(self.persistentVolumeClaim)].filter(set, set).size() == 1",
        message: "volume: set exactly one of emptyDir, configMap, persistentVolumeClaim",
      },
      {
        rule: "!(self.mountPath == '/workspace' || self.mountPath == '/bellhop' || self.mountPath.startsWith('/workspace/') || self.mountPath.startsWith('/bellhop/') || self.mountPath.contains('..'))",
        message: "volume: mountPath may not lie in /workspace or /bellhop, nor contain `..`",
      },
    ],
  });

/** The default of `output.protectedPaths`: globs, compared case-insensitively, of the paths that agents may not change. */
export const defaultProtectedPaths = [
  ".github/workflows/**",
  ".github/actions/**",
  ".gitlab-ci.yml",
  ".gitlab/**",
  "bitbucket-pipelines.yml",
  "azure-pipelines.yml",
  "Jenkinsfile",
  ".circleci/**",
  ".buildkite/**",
  ".drone.yml",
  ".travis.yml",
  ".woodpecker/**",
  ".woodpecker.yml",
  ".tekton/**",
  "**/CODEOWNERS",
  "**/.gitmodules",
  ".devcontainer/**",
  ".devcontainer.json",
  ".husky/**",
  "**/AGENTS.md",
  "**/CLAUDE.md",
  "**/.claude/**",
  "**/.mcp.json",
];

/** The agent that runs, its sandbox, its limits, and the limits on its output. */
export const agentProfileSpec = z.object({
  agent: z
    .object({
      type: z
        .enum(["custom"])
        .describe(
          "The type of agent. `custom` is your own program: it reads `$BELLHOP_PROMPT_FILE`, works in `$BELLHOP_WORKSPACE`, writes JSON lines " +
            "(`progress`, `message`, `result`) to `$BELLHOP_OUT/events.jsonl` and exits 0.",
        ),
      image: z.string().min(1).max(512).describe("The agent's container image. It must contain `/bin/sh`."),
      command: z
        .array(z.string().min(1).max(4096))
        .min(1)
        .max(64)
        .meta({ "x-kubernetes-list-type": "atomic" })
        .describe(
          "The command to run in the image, as an argument list. It runs without a shell unless the list names one.",
        ),
      imagePullPolicy: z
        .enum(["Always", "IfNotPresent", "Never"])
        .optional()
        .describe("The image pull policy, as in a container of a pod."),
      imagePullSecrets: z
        .array(localRef)
        .max(8)
        .optional()
        .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
        .describe("Image pull secrets, as in a pod. The kubelet uses them; the sandbox cannot read them."),
    })
    .describe("The program that does the work."),
  sandbox: z
    .object({
      resources: z
        .object({
          requests: resourceList.optional().describe("Resource requests."),
          limits: resourceList.optional().describe("Resource limits."),
        })
        .prefault({})
        .describe("The agent container's resources."),
      workspaceSize: quantity.default("4Gi").describe("Maximum size of the workspace, which holds the checkout."),
      homeSize: quantity.default("1Gi").describe("Maximum size of HOME and of TMPDIR, each."),
      runtimeClassName: z
        .string()
        .min(1)
        .max(253)
        .optional()
        .describe("The RuntimeClass of sandboxes, for stronger isolation, for example `gvisor` or `kata`."),
      nodeSelector: z
        .record(z.string().max(317), z.string().max(63))
        .optional()
        .meta({ maxProperties: 16 })
        .describe("Labels of the nodes that sandboxes may run on."),
      tolerations: z
        .array(
          z.object({
            key: z.string().max(317).optional().describe("Taint key; all keys if absent."),
            operator: z
              .enum(["Exists", "Equal"])
              .optional()
              .describe("How `value` is compared with the taint's value."),
            value: z.string().max(63).optional().describe("Taint value."),
            effect: z
              .enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])
              .optional()
              .describe("Taint effect; all effects if absent."),
          }),
        )
        .max(16)
        .optional()
        .meta({ "x-kubernetes-list-type": "atomic" })
        .describe("Taints that sandboxes tolerate."),
      volumes: z
        .array(volume)
        .max(8)
        .optional()
        .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
        .describe("Additional volumes for the agent's container."),
      acceptOwnNode: z
        .boolean()
        .default(false)
        .describe(
          "Accepts network policy engines that always allow traffic to the pod's own node. Each task then shows a warning.",
        ),
    })
    .prefault({})
    .describe("The pod that the agent runs in."),
  limits: z
    .object({
      wallClock: duration.default("1h").describe("Maximum run time of a task, over all attempts."),
      stall: duration
        .default("15m")
        .describe(
          "Maximum time without a sign of work from the agent: no event, no output, no change in the workspace.",
        ),
      pending: duration.default("10m").describe("Maximum time that a sandbox may wait for a node and its images."),
    })
    .prefault({})
    .describe("Time limits of a task."),
  output: z
    .object({
      pullRequest: z
        .enum(["Draft", "Ready", "None"])
        .default("Draft")
        .describe("Which kind of pull request Bellhop opens for the branch, if any."),
      branchPrefix: branchPrefix
        .default("bellhop/")
        .describe(
          "The prefix of the branches that Bellhop creates; ends in `/`, and git must accept it in names of branches.",
        ),
      ci: z
        .enum(["Hold", "Run"])
        .default("Hold")
        .describe(
          "`Hold`: commits carry the code host's marker to skip checks until a person gives the command `approve`. `Run`: checks start at once.",
        ),
      protectedPaths: z
        .array(z.string().min(1).max(512))
        .max(128)
        .default(defaultProtectedPaths)
        .meta({ "x-kubernetes-list-type": "set" })
        .describe(
          "Globs, compared case-insensitively, of paths that the agent may not change. The agent also may not replace a folder that a " +
            "glob names by a link or a file. Replaces the default list.",
        ),
      maxFiles: z.int().min(1).max(10_000).default(200).describe("Maximum number of files that a task may change."),
      maxPatchKiB: z
        .int()
        .min(1)
        .max(102_400)
        .default(1024)
        .describe("Maximum size of the new content of a task, in KiB."),
      pushToHumanBranches: z
        .boolean()
        .default(false)
        .describe(
          "Whether a task on a pull request that a person opened may push to its branch. Otherwise Bellhop opens a stacked pull request.",
        ),
      fixLoops: z
        .int()
        .min(0)
        .max(20)
        .default(3)
        .describe("Maximum number of tasks that failed checks may trigger for one pull request."),
    })
    .prefault({})
    .describe("Limits on the agent's output, and how Bellhop publishes it."),
  concurrency: z
    .object({
      tasks: z
        .int()
        .min(1)
        .max(1000)
        .default(10)
        .describe("Maximum number of tasks of this profile that run at the same time."),
    })
    .prefault({})
    .describe("Concurrency limit; further tasks wait in the queue."),
});

/** The operator's validation of the profile: whether tasks may use it. */
export const agentProfileStatus = z.object({
  observedGeneration: z.int().min(0).optional().describe("The generation of `spec` that the operator last validated."),
  conditions: conditions.optional().describe("The condition `Ready`."),
});

export type AgentProfileSpec = z.infer<typeof agentProfileSpec>;
export type AgentProfileStatus = z.infer<typeof agentProfileStatus>;
