import { z } from "zod";
import { conditions, duration, localRef } from "./common.ts";

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
        "Where the agent sees it: absolute, without empty or dotted parts, and none of Bellhop's own places (`/workspace`, `/bellhop`).",
      ),
    readOnly: z.boolean().default(false).describe("Whether the agent may only read it."),
    emptyDir: z
      .object({ sizeLimit: quantity.describe("The most it may hold.") })
      .optional()
      .describe("Scratch space."),
    configMap: localRef.optional().describe("A ConfigMap of the same namespace; always read-only."),
    persistentVolumeClaim: localRef.optional().describe("A claim of the same namespace, for example a cache."),
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

/** Paths that no agent may change unless a profile says otherwise. Globs, compared without case. */
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

/** Which agent works, in what, and what may come out. */
export const agentProfileSpec = z.object({
  agent: z
    .object({
      type: z
        .enum(["custom"])
        .describe(
          "Which agent. `custom` is a program of yours that reads `$BELLHOP_PROMPT_FILE`, works in `$BELLHOP_WORKSPACE`, writes JSON lines " +
            "(`progress`, `message`, `result`) to `$BELLHOP_OUT/events.jsonl` and exits 0.",
        ),
      image: z.string().min(1).max(512).describe("The agent's image; any that has `/bin/sh`."),
      command: z
        .array(z.string().min(1).max(4096))
        .min(1)
        .max(64)
        .meta({ "x-kubernetes-list-type": "atomic" })
        .describe("What to run in it, as an argument list; no shell unless named."),
      imagePullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).optional().describe("As for any container."),
      imagePullSecrets: z
        .array(localRef)
        .max(8)
        .optional()
        .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
        .describe("Pull secrets, as for any pod; the kubelet uses them, the sandbox does not see them."),
    })
    .describe("The program that does the work."),
  sandbox: z
    .object({
      resources: z
        .object({
          requests: resourceList.optional().describe("What is set aside."),
          limits: resourceList.optional().describe("The most it gets."),
        })
        .prefault({})
        .describe("The agent container's resources."),
      workspaceSize: quantity.default("4Gi").describe("The most the checkout may grow to."),
      homeSize: quantity.default("1Gi").describe("The most HOME and TMPDIR may hold, each."),
      runtimeClassName: z
        .string()
        .min(1)
        .max(253)
        .optional()
        .describe("A stronger runtime, for example `gvisor` or `kata`."),
      nodeSelector: z
        .record(z.string().max(317), z.string().max(63))
        .optional()
        .meta({ maxProperties: 16 })
        .describe("Which nodes sandboxes may run on."),
      tolerations: z
        .array(
          z.object({
            key: z.string().max(317).optional().describe("Taint key; all when absent."),
            operator: z.enum(["Exists", "Equal"]).optional().describe("How the value is compared."),
            value: z.string().max(63).optional().describe("Taint value."),
            effect: z
              .enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])
              .optional()
              .describe("Taint effect; all when absent."),
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
        .describe("Further volumes for the agent."),
      acceptOwnNode: z
        .boolean()
        .default(false)
        .describe("Accepts network engines that always open the pod's own node; shown as a warning on each task."),
    })
    .prefault({})
    .describe("The pod it works in."),
  limits: z
    .object({
      wallClock: duration.default("1h").describe("The longest a task may run, all attempts together."),
      stall: duration
        .default("15m")
        .describe("The longest an agent may be silent: no event, no output, no change in the workspace."),
      pending: duration.default("10m").describe("The longest a sandbox may wait for a node and its images."),
    })
    .prefault({})
    .describe("When enough is enough."),
  output: z
    .object({
      pullRequest: z.enum(["Draft", "Ready", "None"]).default("Draft").describe("What is opened for the branch."),
      branchPrefix: z
        .string()
        .min(2)
        .max(64)
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*\/([A-Za-z0-9._-]+\/)*$/)
        .default("bellhop/")
        .describe("What our branches begin with; ends in `/`."),
      ci: z
        .enum(["Hold", "Run"])
        .default("Hold")
        .describe(
          "`Hold`: commits carry the host's skip marker until a person says `approve`. `Run`: checks start at once.",
        ),
      protectedPaths: z
        .array(z.string().min(1).max(512))
        .max(128)
        .default(defaultProtectedPaths)
        .meta({ "x-kubernetes-list-type": "set" })
        .describe(
          "Globs that the agent may not change, compared without case; nor may it put a link or a file in the place of a folder that one " +
            "names. Replaces the default list.",
        ),
      maxFiles: z.int().min(1).max(10_000).default(200).describe("The most files one task may change."),
      maxPatchKiB: z
        .int()
        .min(1)
        .max(102_400)
        .default(1024)
        .describe("The most new content one task may bring, in KiB."),
      pushToHumanBranches: z
        .boolean()
        .default(false)
        .describe(
          "Whether a task on somebody's own change may push to its branch; otherwise a stacked change is opened.",
        ),
      fixLoops: z.int().min(0).max(20).default(3).describe("How often failed checks may ring for one change."),
    })
    .prefault({})
    .describe("What may come out."),
  concurrency: z
    .object({ tasks: z.int().min(1).max(1000).default(10).describe("Tasks of this profile running at once.") })
    .prefault({})
    .describe("How many may run at once; the rest queue."),
});

/** Whether tasks may use the profile. */
export const agentProfileStatus = z.object({
  observedGeneration: z.int().min(0).optional().describe("The generation of `spec` last judged."),
  conditions: conditions.optional().describe("`Ready`."),
});

export type AgentProfileSpec = z.infer<typeof agentProfileSpec>;
export type AgentProfileStatus = z.infer<typeof agentProfileStatus>;
