import { agentTaskStatus } from "../../src/api/agent-task-status.ts";
import { group, version } from "../../src/api/common.ts";

/** Fields of a task's status that the broker may write; the other fields must not change. */
const brokerFields = ["progress"];
const brokerResultFields = ["proposed", "summary"];

/** The ValidatingAdmissionPolicies, by file name. They read the accounts from the parameter ConfigMap `bellhop-accounts`. */
export function policies(): Record<string, object> {
  return {
    "agenttask-source": policy("agenttask-source", tasks(["CREATE"]), {
      variables: [trustedWriter],
      validations: sourceRules,
    }),
    "agenttask-cancel": policy("agenttask-cancel", tasks(["CREATE", "UPDATE"]), {
      matchConditions: [
        {
          name: "cancel-is-set",
          expression: "has(object.spec.cancel) && (oldObject == null || !has(oldObject.spec.cancel))",
        },
      ],
      validations: [
        {
          expression:
            "object.spec.cancel.by == request.userInfo.username || request.userInfo.username == params.data.operator",
          messageExpression: `"spec.cancel.by must be you: " + request.userInfo.username`,
          reason: "Forbidden",
        },
      ],
    }),
    "agenttask-status": policy("agenttask-status", tasks(["UPDATE"], "agenttasks/status"), {
      validations: statusRules(),
    }),
    "sandbox-access": policy("sandbox-access", sandboxSubresources, {
      matchConditions: [{ name: "is-a-sandbox", expression: "request.name.matches('-sandbox-[0-9]+(:[^:]*)?$')" }],
      validations: [
        {
          expression: "params.data.breakGlassGroup != '' && params.data.breakGlassGroup in request.userInfo.groups",
          message:
            "only members of the break-glass group (chart value accounts.breakGlassGroup) may exec into a sandbox, attach to it, forward " +
            "ports to it or add containers to it: it works on behalf of somebody else",
          reason: "Forbidden",
        },
      ],
    }),
    // Without parameters: it checks updates of every pod, which must not depend on a ConfigMap of Bellhop.
    "sandbox-containers": policy("sandbox-containers", sandboxUpdates, {
      paramKind: undefined,
      matchConditions: [{ name: "is-a-sandbox", expression: "request.name.matches('-sandbox-[0-9]+$')" }],
      validations: [
        {
          expression:
            "object.spec.containers == oldObject.spec.containers && " +
            "object.spec.?initContainers.orValue([]) == oldObject.spec.?initContainers.orValue([])",
          message:
            "nobody may change the containers of a sandbox, neither images nor resources: another image could read the sandbox's " +
            "volumes. To inspect a sandbox, become a member of the break-glass group (chart value accounts.breakGlassGroup)",
          reason: "Forbidden",
        },
      ],
    }),
  };
}

const trustedWriter = {
  name: "trusted",
  expression: "request.userInfo.username in [params.data.gateway, params.data.operator]",
};

const sourceRules = [
  {
    expression: "variables.trusted || object.spec.source.provider == 'kubernetes'",
    message: "only the gateway and the operator may name a provider as source; set spec.source.provider: kubernetes",
    reason: "Forbidden",
  },
  {
    expression: "variables.trusted || object.spec.actor.login == request.userInfo.username",
    messageExpression: `"spec.actor.login must be you: " + request.userInfo.username`,
    reason: "Forbidden",
  },
  {
    // The actor's id allows a person to stop the task, and prevents that they approve it.
    expression:
      "variables.trusted || object.spec.actor.id == '' || (has(request.userInfo.uid) && object.spec.actor.id == request.userInfo.uid)",
    message: "spec.actor.id must be empty or your uid at the API server: the ids of a provider belong to other people",
    reason: "Forbidden",
  },
  {
    expression: "variables.trusted || !(has(object.spec.command) || has(object.spec.retryOf))",
    message:
      "only the gateway and the operator may create commands and retries; answer in the thread, or create a new task",
    reason: "Forbidden",
  },
  {
    expression: "variables.trusted || object.spec.conversation.startsWith('kubernetes/')",
    message:
      "spec.conversation must begin with `kubernetes/`: other prefixes are reserved for conversations at providers",
    reason: "Forbidden",
  },
];

const sandboxSubresources = [
  {
    apiGroups: [""],
    apiVersions: ["v1"],
    operations: ["CONNECT"],
    // A proxy's name may carry a port: `<pod>:8080`.
    resources: ["pods/exec", "pods/attach", "pods/portforward", "pods/proxy"],
  },
  { apiGroups: [""], apiVersions: ["v1"], operations: ["UPDATE"], resources: ["pods/ephemeralcontainers"] },
];

/** A changed image restarts the container, also the courier's, with access to its volumes and its token. */
const sandboxUpdates = [
  { apiGroups: [""], apiVersions: ["v1"], operations: ["UPDATE"], resources: ["pods", "pods/resize"] },
];

function statusRules(): object[] {
  const isBroker = "request.userInfo.username == params.data.broker";
  const fields = Object.keys(agentTaskStatus.shape);
  const results = Object.keys(agentTaskStatus.shape.result.unwrap().shape);
  return [
    {
      expression: `${isBroker} || request.userInfo.username == params.data.operator`,
      message: "only the operator and the broker may write the status of a task",
      reason: "Forbidden",
    },
    ...fields
      .filter((field) => field !== "result" && !brokerFields.includes(field))
      .map((field) => unchanged(isBroker, "status", field)),
    ...results
      .filter((field) => !brokerResultFields.includes(field))
      .map((field) => unchanged(isBroker, "status.?result", field)),
  ];
}

function unchanged(isBroker: string, parent: string, field: string): object {
  return {
    expression: `!(${isBroker}) || object.?${parent}.?${field} == oldObject.?${parent}.?${field}`,
    message: `the broker may not change ${parent.replace("?", "")}.${field}`,
    reason: "Forbidden",
  };
}

function tasks(operations: string[], resource = "agenttasks"): object[] {
  return [{ apiGroups: [group], apiVersions: [version], operations, resources: [resource] }];
}

function policy(name: string, resourceRules: object[], spec: object): object {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: `bellhop-${name}` },
    spec: {
      failurePolicy: "Fail",
      paramKind: { apiVersion: "v1", kind: "ConfigMap" },
      matchConstraints: { resourceRules },
      ...spec,
    },
  };
}
