import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseAllDocuments, stringify } from "yaml";
import { slackAppSpec, type SlackAppSpec } from "../src/api/slack-app.ts";
import { manifest, usesSocketMode } from "../src/integrations/slack/manifest.ts";

/**
 * Prints the manifest of the Slack app for the SlackApp in a YAML file. `--url` is the integration's `status.webhookURL`, which it does not have with
 * Socket Mode, and `--install-url` its `status.installURL`, if it uses the install flow; without them the manifest has placeholders.
 * `make slack-manifest` calls it.
 */
const { values } = parseArgs({
  options: {
    url: { type: "string", default: "" },
    "install-url": { type: "string", default: "" },
    app: { type: "string", default: "" },
  },
});
const placeholder = "https://bellhop.example.com/hooks/replace-me";
const sample = join(import.meta.dirname, "../config/samples/slack-app.yaml");

try {
  const file = values.app === "" ? sample : values.app;
  const spec = specIn(file);
  const redirectURL = spec.credentials.oauth ? `${installUrlIn(values["install-url"])}/callback` : undefined;
  const text = stringify(manifest({ spec }, urlIn(values.url), redirectURL), { lineWidth: 0 });
  const hasURL = values.url !== "" || usesSocketMode({ spec });
  const isComplete = hasURL && (redirectURL === undefined || values["install-url"] !== "");
  console.log(`${isComplete ? "" : header(redirectURL !== undefined)}${text.trimEnd()}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

function header(usesInstallFlow: boolean): string {
  const install = " INSTALL_URL=<status.installURL>";
  return [
    "# The URLs below are placeholders. Apply the SlackApp, read its URL with `kubectl get slackapps --all-namespaces`, and print the",
    `# manifest again: make slack-manifest URL=https://<host>/hooks/<route>${usesInstallFlow ? install : ""}`,
    "",
  ].join("\n");
}

function installUrlIn(given: string): string {
  if (given === "") return "https://bellhop.example.com/install/slackapp/replace-me/replace-me";
  if (/^https:\/\/[^/\s?#]+\/install\/slackapp\/[^/\s?#]+\/[^/\s?#]+$/.test(given)) return given;
  throw new Error(`INSTALL_URL=${given} is not the install page of a SlackApp: use its status.installURL`);
}

function urlIn(given: string): string {
  if (given === "") return placeholder;
  if (/^https:\/\/[^/\s?#]+\/hooks\/[^/\s?#]+$/.test(given)) return given;
  throw new Error(
    `URL=${given} is not the URL of an integration: use the one that kubectl get slackapps shows, https://<host>/hooks/<route>`,
  );
}

function specIn(file: string): SlackAppSpec {
  const objects = parseAllDocuments(readFileSync(file, "utf8")).map(
    (document) => document.toJS() as { kind?: string; spec?: unknown } | null,
  );
  const found = objects.filter((object) => object?.kind === "SlackApp");
  const [app] = found;
  if (!app || found.length > 1)
    throw new Error(`${file} has ${found.length} objects of kind SlackApp: name a file with exactly one, APP=<file>`);
  const parsed = slackAppSpec.safeParse(app.spec);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${file}: spec.${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is not valid"}`);
}
