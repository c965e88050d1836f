import { z } from "zod";

/**
 * Schemas of the payload fields that we use. Older servers leave fields out and newer ones add some, so the schemas check
 * only used fields. GitHub sends `null` for what it does not know, so every field without which there still is an event may be `null`. Source: GitHub, "Webhook events and payloads".
 */
const id = z.union([z.int(), z.string().min(1).max(64)]).transform(String);
/** GitHub accepts 65,536 characters. A text four times as long is not from GitHub, and reading it would delay other deliveries. */
const maxText = 262_144;
const text = z
  .string()
  .max(maxText, `the text has more than ${maxText} characters; GitHub sends at most a quarter of that`)
  .nullish();
const words = z.string().nullish();
const user = z.object({ id, login: z.string().min(1).max(100), type: words });

export const repository = z.object({
  id,
  name: z.string().min(1).max(100),
  /** Unknown counts as private. */
  private: z
    .boolean()
    .nullish()
    .transform((given) => given ?? true),
  owner: z.object({ login: z.string().min(1).max(100) }),
});

/** Fields that all events carry which can match a trigger. */
export const envelope = z.object({
  action: z.string().max(64).nullish(),
  repository,
  /** `null` if GitHub does not know who did it, for example because the account was deleted. */
  sender: user.nullable(),
  installation: z.object({ id }).nullish(),
});

const subject = z.object({
  id,
  number: z.int().min(1),
  title: z
    .string()
    .max(1_024)
    .nullish()
    .transform((given) => given ?? ""),
  body: text,
  html_url: words,
  created_at: words,
  updated_at: words,
  user: user.nullish(),
});

const target = {
  label: z.object({ name: z.string().min(1) }).nullish(),
  assignee: user.nullish(),
  requested_reviewer: user.nullish(),
};

export const issues = envelope.extend({ issue: subject.extend({ pull_request: z.unknown().optional() }), ...target });
export const pullRequest = envelope.extend({ pull_request: subject, ...target });

const comment = z.object({
  id,
  body: text,
  html_url: words,
  created_at: words,
  updated_at: words,
  user: user.nullish(),
});

export const issueComment = envelope.extend({
  issue: subject.extend({ pull_request: z.unknown().optional() }),
  comment,
});
export const reviewComment = envelope.extend({
  pull_request: subject,
  comment: comment.extend({ pull_request_review_id: id.nullish() }),
});
export const review = envelope.extend({
  pull_request: subject,
  review: comment.omit({ created_at: true }).extend({ submitted_at: words }),
});

const sha = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
const repositoryId = z.object({ id }).nullish();
const checkName = z.string().max(1_024).nullish();
const check = z.object({
  id,
  head_branch: z.string().nullish(),
  head_sha: sha,
  conclusion: z.string().nullish(),
  html_url: words,
  updated_at: words,
  head_repository: repositoryId,
  pull_requests: z
    .array(
      z.object({
        number: z.int().min(1),
        head: z.object({ repo: repositoryId }).nullish(),
        base: z.object({ repo: repositoryId }).nullish(),
      }),
    )
    .nullish(),
});

export const workflowRun = envelope.extend({ workflow_run: check.extend({ name: checkName }) });
export const checkSuite = envelope.extend({
  check_suite: check.extend({ app: z.object({ name: checkName }).nullish() }),
});

export type Envelope = z.infer<typeof envelope>;
export type Subject = z.infer<typeof subject>;
export type Check = z.infer<typeof check>;
export type User = z.infer<typeof user>;
export type Targets = Pick<z.infer<typeof issues>, "label" | "assignee" | "requested_reviewer">;
