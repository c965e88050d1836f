import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Node } from "typescript/unstable/ast";
import { integrationKinds } from "../../src/api/integration-kinds.ts";
import { lineOf, walk, withParsedFiles, type ParsedFile } from "../../scripts/prose/syntax.ts";
import { root, textOf } from "../docs.ts";

const example = "an example in the description of a field, which every provider has";
/** Code that may name a provider although it is not the provider's own. */
const exceptions: readonly { path: string; text: RegExp; reason: string }[] = [
  { path: "src/api/agent-task.ts", text: /for example `/, reason: example },
  { path: "src/api/agent-task-status.ts", text: /for example `/, reason: example },
  { path: "src/api/common.ts", text: /for example `/, reason: example },
  { path: "src/api/agent-profile.ts", text: /^"\.github\//, reason: "paths in repositories that start workflows" },
  {
    path: "test/providers/hostile-text.ts",
    text: /./,
    reason: "the syntax of each provider, for the renderers of all",
  },
  {
    path: "test/providers/hostile-suite.ts",
    text: /^"\w+"$/,
    reason: "a task of a chat whose change is at a code host",
  },
  {
    path: "scripts/slack-manifest.ts",
    text: /./,
    reason: "the command that prints the manifest of one provider's app",
  },
  { path: "scripts/words.ts", text: /mention\.test\.ts/, reason: "an exception for one file of a provider" },
];

/** The files in which a provider is registered, and the frame of the stand-ins. */
const registered = /^src\/(?:api\/(?:code-hosts|integration-kinds)|integrations\/registry)\.ts$/;
const shared = /^(?:src|scripts)\/|^test\/providers\/(?:stand-in\/)?[\w-]+\.ts$/;
const testOnly = /\.test\.ts$|(?:^|\/)testing\.ts$/;

/** The name of a provider as a word, or as a part of an identifier: `slack`, `aSlackApp`, `SLACK_URL`. */
const named = new RegExp(Object.entries(integrationKinds).map(asWord).join("|"));

describe("code outside the folders of the providers", () => {
  it("names no provider", { timeout: 120_000 }, () => {
    const used = new Set<(typeof exceptions)[number]>();
    const found = withParsedFiles(root, (files) => files.filter(isShared).flatMap(namesIn)).filter(({ path, text }) => {
      const by = exceptions.filter((exception) => exception.path === path && exception.text.test(text));
      for (const exception of by) used.add(exception);
      return by.length === 0;
    });
    expect(found.map(({ path, line, text }) => `${path}:${line} ${text.slice(0, 100)}`)).toEqual([]);
    expect(exceptions.filter((exception) => !used.has(exception))).toEqual([]);
  });

  it("is found by its identifiers, strings and paths, and not by other words", () => {
    for (const text of [
      "slack",
      "SlackApp",
      "aSlackApp",
      "./github/index.ts",
      "GITHUB_URL",
      "startGitHub",
      "slackapps",
    ])
      expect(text).toMatch(named);
    for (const text of ["slacken", "aslack", "git", "hub"]) expect(text).not.toMatch(named);
  });
});

describe("the templates of the chart", () => {
  it("name no provider", () => {
    const folder = "charts/bellhop/templates";
    const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
    const templates = files.filter((file) => /\.(?:yaml|tpl|txt)$/.test(file));
    expect(templates.length).toBeGreaterThan(20);
    const code = templates.map((file) => [
      file,
      textOf(`${folder}/${file}`).replaceAll(/\{\{-?\s*\/\*[\s\S]*?\*\/\s*-?\}\}|#.*/g, ""),
    ]);
    expect(code.filter(([, text = ""]) => named.test(text)).map(([file]) => file)).toEqual([]);
  });
});

/** The provider's name, its kind and the plural. A name begins a word, or a part of an identifier after a lower-case letter. */
function asWord([provider, { kind, plural }]: [string, { kind: string; plural: string }]): string {
  const anyCase = (word: string): string => Array.from(word, (letter) => `[${letter}${letter.toUpperCase()}]`).join("");
  const [first, rest] = [provider.slice(0, 1), provider.slice(1)];
  const begins = `(?:(?<![A-Za-z])${anyCase(first)}|(?<=[a-z])${first.toUpperCase()})`;
  return `${begins}${anyCase(rest)}(?![a-z])|${kind}|(?<![A-Za-z])${plural}(?![a-z])`;
}

function isShared({ path }: ParsedFile): boolean {
  return shared.test(path) && !testOnly.test(path) && !registered.test(path) && !isOwn(path);
}

/** A provider's own files: its folder, and the file of its kind, which is named after the kind. */
function isOwn(path: string): boolean {
  return Object.entries(integrationKinds).some(([name, { singular }]) => {
    const kindFile = /^src\/api\/([\w-]+)\.ts$/.exec(path)?.[1]?.replaceAll("-", "");
    return path.startsWith(`src/integrations/${name}/`) || kindFile === singular;
  });
}

interface Name {
  path: string;
  line: number;
  text: string;
}

/** Identifiers and texts that name a provider. Comments may: they explain with examples. */
function namesIn({ path, source }: ParsedFile): Name[] {
  const found: Name[] = [];
  walk(source, (node) => {
    if (!isLeaf(node)) return undefined;
    const text = node.getText(source);
    if (named.test(text)) found.push({ path, line: lineOf(node, source), text });
    return undefined;
  });
  return found;
}

function isLeaf(node: Node): boolean {
  let leaf = true;
  node.forEachChild(() => {
    leaf = false;
    return undefined;
  });
  return leaf;
}
