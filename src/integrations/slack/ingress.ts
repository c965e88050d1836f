import type { SlackApp } from "../../api/slack-app.ts";
import type { Ingress } from "../ingress.ts";
import { formType } from "./body.ts";
import { deliveryId, normalise } from "./events.ts";
import { reply } from "./reply.ts";
import { socket, socketTokenPath } from "./socket.ts";
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
  offersRepositories: true,
  webhook: ({ spec: { credentials } }) => ({
    install: "Manual",
    acceptedKeysRef: credentials.signingSecretRef,
    acceptedKeysPath: credentials.appTokenSecretRef ? socketTokenPath : "spec.credentials.signingSecretRef",
    manually: credentials.appTokenSecretRef
      ? "deliveries arrive by Socket Mode"
      : "the request URLs are set on the pages of the Slack app",
    takeOver: false,
    sharedBy: undefined,
  }),
  socket,
  verify,
  deliveryId,
  normalise,
  reply,
};
