import { chmodSync, copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { rootCertificates } from "node:tls";
import { contextFiles, inFiles } from "../../sandbox/protocol/layout.ts";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import type { Places } from "../settings.ts";

/** The entry script, which is part of the courier's image. */
const entryScript = new URL("../entry.sh", import.meta.url);

/** Writes the agent's input into `in`: entry script, prompt, context, and one CA file with the public root certificates and ours. */
export function writeAgentInput(places: Places): void {
  const at = (name: string): string => path.join(places.in, name);
  copyFileSync(entryScript, at(inFiles.entry));
  copyFileSync(path.join(places.context, contextFiles.prompt), at(inFiles.prompt));
  copyFileSync(path.join(places.context, contextFiles.context), at(inFiles.context));
  const ours = readFileSync(path.join(places.context, contextFiles.ca), "utf8");
  writeFileSync(at(inFiles.ca), `${[...rootCertificates, ours.trim()].join("\n")}\n`);
  chmodSync(at(inFiles.entry), 0o755);
  for (const name of [inFiles.prompt, inFiles.context, inFiles.ca]) chmodSync(at(name), 0o644);
}

/** Settings of the agent's git. */
export interface AgentGit {
  brokerURL: string;
  /** The agent's own capability, which only fetches. */
  capability: string;
  author: SandboxSpec["commit"]["author"];
}

/** Writes the agent's `gitconfig`: its capability for the broker, its author, and `safe.directory`, because the workspace belongs to another user. */
export function writeAgentGitConfig(places: Places, agent: AgentGit): void {
  const broker = new URL("/", agent.brokerURL).href;
  const lines = [
    section("safe", { directory: places.workspace }),
    section("user", { name: agent.author.name, email: agent.author.email }),
    section("core", { sharedRepository: "group" }),
    section(`http ${quoted(broker)}`, {
      extraHeader: `Authorization: Bearer ${agent.capability}`,
      sslCAInfo: path.join(places.in, inFiles.ca),
      proxy: "",
    }),
  ];
  // Replaced in one step, because the agent's git may read it at any time.
  const file = path.join(places.in, inFiles.gitconfig);
  writeFileSync(`${file}.new`, lines.join(""), { mode: 0o640 });
  renameSync(`${file}.new`, file);
}

function section(name: string, values: Record<string, string>): string {
  const lines = Object.entries(values).map(([key, value]) => `\t${key} = ${quoted(value)}\n`);
  return `[${name}]\n${lines.join("")}`;
}

function quoted(value: string): string {
  return `"${value.replaceAll(/[\r\n]/g, " ").replaceAll(/["\\]/g, "\\$&")}"`;
}
