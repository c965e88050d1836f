import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { slackAppSpec } from "../../src/api/slack-app.ts";
import { manifest } from "../../src/integrations/slack/manifest.ts";
import { required } from "../../src/integrations/slack/required.ts";
import { root, textOf } from "../docs.ts";

const sample = "config/samples/slack-app.yaml";
const url = "https://bellhop.example.com/hooks/r1";

function print(...args: string[]): { stdout: string; stderr: string; status: number | null } {
  return spawnSync(process.execPath, [join(root, "scripts/slack-manifest.ts"), ...args], {
    cwd: root,
    encoding: "utf8",
  });
}

/** The spec of the SlackApp in a file, with its defaults. */
function specIn(text: string) {
  const objects = parseAllDocuments(text).map((document) => document.toJS() as { kind: string; spec: unknown });
  return slackAppSpec.parse(objects.find(({ kind }) => kind === "SlackApp")?.spec);
}

describe("make slack-manifest", () => {
  it("prints the manifest of the sample with the given URL, as YAML", () => {
    const { stdout, status } = print("--url", url);
    expect(status).toBe(0);
    expect(stdout).not.toContain("#");
    expect(parse(stdout)).toEqual(manifest({ spec: specIn(textOf(sample)) }, url));
  });

  it("prints a placeholder without a URL, and says how to replace it", () => {
    const { stdout, status } = print("--url", "", "--app", "");
    expect(status).toBe(0);
    expect(stdout).toContain("request_url: https://bellhop.example.com/hooks/replace-me");
    expect(stdout).toMatch(/^# .*placeholders.*kubectl get slackapps/);
  });

  it("has the scopes that the SlackApp in a file needs", () => {
    const folder = mkdtempSync(join(tmpdir(), "bellhop-slack-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "app.yaml");
    const text = textOf(sample).replace(/ {4}- name: direct-message[^]*?(?= {2}#)/, "");
    writeFileSync(file, text);
    const printed = parse(print("--app", file).stdout) as ReturnType<typeof manifest>;
    expect(printed.oauth_config?.scopes?.bot).toEqual(required({ spec: specIn(text) }).scopes);
    expect(printed.oauth_config?.scopes?.bot).not.toContain("commands");
    expect(printed.settings?.event_subscriptions?.bot_events).not.toContain("message.im");
  });

  it("has the redirect URL of the install page, and only then", () => {
    const file = "config/samples/slack-app-oauth.yaml";
    const install = "https://bellhop.example.com/install/slackapp/team/slack";
    const { stdout } = print("--url", url, "--install-url", install, "--app", file);
    expect(stdout).not.toContain("#");
    const printed = parse(stdout) as ReturnType<typeof manifest>;
    expect(printed.oauth_config?.redirect_urls).toEqual([`${install}/callback`]);
    expect(printed.settings?.org_deploy_enabled).toBe(true);
    expect(print("--url", url, "--app", file).stdout).toMatch(/^# .*placeholders[^]*INSTALL_URL=<status.installURL>/);
    const without = parse(print("--url", url).stdout) as ReturnType<typeof manifest>;
    expect(without.oauth_config).not.toHaveProperty("redirect_urls");
    expect(without.settings?.org_deploy_enabled).toBe(false);
  });

  it.each([
    [
      ["--install-url", "https://bellhop.example.com/hooks/r1", "--app", "config/samples/slack-app-oauth.yaml"],
      "is not the install page",
    ],
    [["--url", "http://bellhop.example.com/hooks/r1"], "is not the URL of an integration"],
    [["--url", "https://bellhop.example.com"], "is not the URL of an integration"],
    [["--app", "config/samples/github-app.yaml"], "0 objects of kind SlackApp"],
    [["--app", "missing.yaml"], "missing.yaml"],
  ])("refuses %j", (args, message) => {
    const { stdout, stderr, status } = print(...args);
    expect({ stdout, status }).toEqual({ stdout: "", status: 1 });
    expect(stderr).toContain(message);
  });
});

describe("the guide for Slack", () => {
  const guide = textOf("src/integrations/slack/readme.md");
  const everything = required({ spec: specIn(textOf(sample)) });

  it("names every scope and event that the provider checks, and no other", () => {
    const [section = ""] = (guide.split("## Scopes and events\n")[1] ?? "").split("\n## ");
    const rows = [...section.matchAll(/^\| (`[^|]+) \| [^|]+ \| [^|]+ \|$/gm)].map(([, names = ""]) => names);
    const named = rows.flatMap((names) => [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
    expect(named.toSorted()).toEqual([...everything.scopes, ...everything.events].toSorted());
  });
});
