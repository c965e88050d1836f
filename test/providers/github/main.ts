import { runStandIn } from "../stand-in/main.ts";
import { startAdmin } from "./admin.ts";
import { startGitHub, type GitHubOptions, type GitHubStandIn } from "./index.ts";

runStandIn<GitHubOptions, GitHubStandIn>({
  serves: "web, git and REST",
  flags: {
    state: { option: "stateDir", usage: "--state <folder>         keep repositories and state there across restarts" },
  },
  start: startGitHub,
  startAdmin,
});
