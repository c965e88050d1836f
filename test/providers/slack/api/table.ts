import { authMethods } from "./auth.ts";
import { chatMethods } from "./chat.ts";
import { conversationMethods } from "./conversations.ts";
import type { Method } from "./method.ts";
import { oauthMethods } from "./oauth.ts";
import { reactionMethods } from "./reactions.ts";
import { userMethods } from "./users.ts";
import { viewMethods } from "./views.ts";

/** Every method of the stand-in. */
export const methods: Method[] = [
  ...authMethods,
  ...oauthMethods,
  ...chatMethods,
  ...reactionMethods,
  ...conversationMethods,
  ...userMethods,
  ...viewMethods,
];
