import { z } from "zod";
import { objectName, timestamp } from "./common.ts";

/** The question for a repository, while a task waits for its answer. */
export const question = z.object({
  text: z.string().max(512).describe("The question."),
  choices: z
    .array(z.string().max(256))
    .max(100)
    .optional()
    .meta({ "x-kubernetes-list-type": "atomic" })
    .describe("Some possible answers, which everybody who reads the thread may see."),
  askedAt: timestamp.describe("When the task began to wait for the answer."),
  asked: z
    .object({
      answer: objectName
        .optional()
        .describe("The AgentTask that carried the last answer before, if there was one. A further answer asks again."),
      tries: z
        .int()
        .min(0)
        .describe("How often the message may have been sent; written before each time. At most twice."),
      triedAt: timestamp.describe("When it was last sent, or tried to be."),
      sentAt: timestamp.optional().describe("When it was sent."),
      failures: z.int().min(0).optional().describe("Number of failures to send it."),
      lastError: z.string().max(1024).optional().describe("Why the last try failed."),
    })
    .optional()
    .describe("The message with a menu that only the requester sees, where the provider has such messages."),
});
