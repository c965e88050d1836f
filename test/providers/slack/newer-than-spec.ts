/**
 * Parts of the Web API that are newer than Slack's last published description (2021), or that it has wrong. The typed requests of
 * `@slack/web-api` 8 have all of them. Each entry says why it is here; add one only with a source.
 */

/** Methods without a description. */
export const newerMethods: Record<string, string> = {
  "apps.connections.open": "Socket Mode left its beta in 2021, after the description was published",
};

/** Arguments that the description does not have, by method; `*` is for every method. */
export const newerParams: Record<string, Record<string, string>> = {
  "*": {
    token: "accepted in the body of forms; the description names it only as a header or query parameter",
  },
  "chat.postMessage": {
    metadata: "message metadata (2022)",
    markdown_text: "Markdown text (2025)",
  },
  "chat.update": {
    metadata: "message metadata (2022)",
    markdown_text: "Markdown text (2025)",
    reply_broadcast: "published later than the description",
  },
  "chat.postEphemeral": { markdown_text: "Markdown text (2025)" },
  "conversations.history": { include_all_metadata: "message metadata (2022)" },
  "conversations.replies": { include_all_metadata: "message metadata (2022)" },
  "conversations.list": { team_id: "workspaces of an organisation (2021)" },
  "conversations.open": { prevent_creation: "published later than the description" },
  "oauth.v2.access": {
    grant_type: "token rotation (2021)",
    refresh_token: "token rotation (2021)",
  },
  "users.conversations": { team_id: "workspaces of an organisation (2021)" },
  "users.list": { team_id: "workspaces of an organisation (2021)" },
  "usergroups.list": { team_id: "workspaces of an organisation (2021)" },
  "usergroups.users.list": { team_id: "workspaces of an organisation (2021)" },
};

/** Arguments that the description requires and that may be absent, by method. */
export const newerOptional: Record<string, Record<string, string>> = {
  "oauth.v2.access": { code: "token rotation (2021): a refresh token takes its place" },
};

/** Errors that the description does not list for a method. */
export const newerErrors: Record<string, string> = {
  invalid_arguments: "general refusal of arguments, on every method",
  missing_scope: "granular scopes (2020), on every method",
  token_expired: "token rotation (2021), on every method that needs a token",
  invalid_refresh_token: "token rotation (2021)",
  token_revoked: "on every method that needs a token",
  not_allowed_token_type: "on every method that needs a token",
  ratelimited: "with HTTP 429, on every method",
  invalid_blocks: "Block Kit, on every method with blocks",
  invalid_blocks_format: "Block Kit, on every method with blocks",
  msg_blocks_too_long: "Block Kit; seen with @slack/web-api, not documented",
  markdown_text_conflict: "Markdown text (2025)",
  invalid_metadata_format: "message metadata (2022)",
  metadata_too_large: "message metadata (2022)",
  invalid_thread_ts: "published later than the description",
  thread_not_found: "published later than the description",
  message_not_found: "published later than the description",
  channel_not_found: "published later than the description",
  not_in_channel: "published later than the description",
  is_archived: "published later than the description",
  user_not_found: "published later than the description",
  invalid_cursor: "on every method with pages",
  invalid_limit: "on every method with pages",
  no_such_subteam: "published later than the description",
  team_not_found: "published later than the description",
  bot_not_found: "published later than the description",
  users_not_found: "published later than the description",
};
