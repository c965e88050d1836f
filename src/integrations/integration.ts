import type { Trigger } from "../api/integration.ts";
import type { Installation } from "./connection.ts";

/** The fields that all integration kinds share. Code outside the providers' folders uses only these. */
export interface Integration {
  kind?: string;
  metadata: {
    name: string;
    namespace: string;
    uid?: string;
    generation?: number;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    annotations?: Record<string, string>;
    finalizers?: string[];
  };
  spec: {
    suspend: boolean;
    triggers: Trigger[];
    access: {
      kubernetes: "Deny" | "Allow";
      people?: PersonMapping[] | undefined;
      /** Bots that may start tasks, by the provider's id. */
      bots?: { id: string; login: string }[] | undefined;
    };
    /** Where changes go, if not to the provider of the integration itself: an integration of a code host in the same namespace. */
    codeHostRef?: { kind: string; name: string } | undefined;
    profileRef: { name: string };
    concurrency: { tasks: number; perRepository: number; perActor: number };
    reporting: { reaction: boolean; updateEvery: string };
  };
  status?: {
    bot?: { id: string; login: string; mention: string } | undefined;
    installations?: Installation[] | undefined;
    installURL?: string | undefined;
    triggers?: { name: string; since: string }[] | undefined;
    conditions?: { type: string; status: string; reason: string; message: string }[] | undefined;
    hooks?: { target: string; id?: string | undefined; verifiedAt?: string | undefined }[] | undefined;
    webhookURL?: string | undefined;
    lastHandledRotateAt?: string | undefined;
    recoveredUntil?: string | undefined;
    lastTaskTime?: string | undefined;
  };
}

/** The account of a person at the code host, for a person of a chat or tracker. */
export interface PersonMapping {
  id: string;
  codeHost: { id: string; login: string };
}
