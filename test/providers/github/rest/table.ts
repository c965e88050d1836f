import { appHookRoutes } from "./app-hook.ts";
import { appRoutes } from "./app.ts";
import { checkRoutes } from "./checks.ts";
import { commentRoutes } from "./comments.ts";
import { commitRoutes } from "./commits.ts";
import { contentRoutes } from "./contents.ts";
import { gitRefRoutes } from "./git-refs.ts";
import { hookRoutes } from "./hooks.ts";
import { issueRoutes } from "./issues.ts";
import { metaRoutes } from "./meta.ts";
import { pullRoutes } from "./pulls.ts";
import { reactionRoutes } from "./reactions.ts";
import { repositoryRoutes } from "./repositories.ts";
import { reviewCommentRoutes } from "./review-comments.ts";
import { reviewRoutes } from "./reviews.ts";
import type { Route } from "./route.ts";
import { runRoutes } from "./runs.ts";
import { userRoutes } from "./users.ts";

/** Every operation of the stand-in. */
export const routes: Route[] = [
  ...metaRoutes,
  ...appRoutes,
  ...appHookRoutes,
  ...userRoutes,
  ...repositoryRoutes,
  ...contentRoutes,
  ...gitRefRoutes,
  ...commitRoutes,
  ...issueRoutes,
  ...commentRoutes,
  ...reactionRoutes,
  ...pullRoutes,
  ...reviewRoutes,
  ...reviewCommentRoutes,
  ...hookRoutes,
  ...checkRoutes,
  ...runRoutes,
];
