import type { SlackApp } from "../../api/slack-app.ts";
import type { Ingress } from "../types.ts";
import { formType } from "./body.ts";
import { deliveryId, normalise } from "./events.ts";
import { reply } from "./reply.ts";
import { verify } from "./verify.ts";

/** Slack sends nothing near this size: a message has at most 40,000 characters. */
const maxBodyBytes = 1024 * 1024;

/** Source: Slack, "Events API", "Interactivity" and "Slash commands". */
const answerWithinMs = 3_000;

/** The webhook side of Slack: events, interactions and slash commands, all at one URL. */
export const ingress: Ingress<SlackApp> = {
  maxBodyBytes,
  contentTypes: ["application/json", formType],
  answerWithinMs,
  followsThreads: true,
  webhook: ({ spec }) => ({
    install: "Manual",
    acceptedKeysRef: spec.credentials.signingSecretRef,
    acceptedKeysPath: "spec.credentials.signingSecretRef",
    manually: "the request URLs are set on the pages of the Slack app",
    takeOver: false,
    sharedBy: undefined,
  }),
  verify,
  deliveryId,
  normalise,
  reply,
};
