import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { integrationKinds } from "../../src/api/integration-kinds.ts";
import { kinds } from "../../src/api/kinds.ts";
import { imageNames } from "../cluster/node/index.ts";
import { root, shellBlocks, textOf } from "../docs.ts";

/** The guides for users, from installation to removal. */
const guides = [
  "README.md",
  "charts/bellhop/README.md",
  ...readdirSync(join(root, "docs")).flatMap((file) => (file.endsWith(".md") ? [`docs/${file}`] : [])),
  ...readdirSync(join(root, "src/integrations"))
    .map((folder) => `src/integrations/${folder}/readme.md`)
    .filter((path) => existsSync(join(root, path))),
];
const adrs = readdirSync(join(root, "docs/adr")).map((file) => `docs/adr/${file}`);
const samples = ["config/samples", "config/samples/task"].flatMap((folder) =>
  readdirSync(join(root, folder)).flatMap((file) => (file.endsWith(".yaml") ? [`${folder}/${file}`] : [])),
);

/** Every match of a pattern's group in these files, with the file. */
function found(paths: readonly string[], pattern: RegExp): [path: string, what: string][] {
  return paths.flatMap((path) =>
    [...textOf(path).matchAll(pattern)].map(([, what = ""]): [string, string] => [path, what]),
  );
}

interface Schema {
  properties?: Record<string, Schema>;
}

describe("README, guides and samples", () => {
  it("are found", () => {
    expect(guides.length).toBeGreaterThan(6);
    expect(guides).toContain("src/integrations/github/readme.md");
    expect(samples.length).toBeGreaterThan(3);
  });

  it("name only files that exist", () => {
    const documents = [...guides, "AGENTS.md", "CONTRIBUTING.md", "src/README.md", ...adrs];
    const named = found(documents, /`((?:src|test|scripts|charts|config|docs)\/[\w./-]+\.[a-z]+)`/g);
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(([, path]) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("name every kind of integration in the README's table, with its guide", () => {
    const rows = found(["README.md"], /^(\|.*\|)$/gm).map(([, row]) => row);
    const lacking = Object.entries(integrationKinds).filter(
      ([provider, { kind }]) =>
        !rows.some((row) => row.includes(`\`${kind}\``) && row.includes(`](src/integrations/${provider}/readme.md)`)),
    );
    expect(lacking.map(([provider]) => provider)).toEqual([]);
  });

  it("use one namespace for Bellhop and one for a team", () => {
    const used = found(
      guides,
      /(?:--namespace[ =]|\s-n |create namespace |label namespace |delete namespace |namespace: )([a-z][a-z0-9-]*)/g,
    );
    expect(used.length).toBeGreaterThan(20);
    // The broker's follows from the release's name.
    const known = ["bellhop-system", "bellhop-broker", "team"];
    const others = used.filter(([, name]) => !known.includes(name));
    expect(others).toEqual([]);
  });

  it("use one name for the profile", () => {
    const used = [
      ...found([...guides, ...samples], /profileRef: \{ name: ([\w-]+) \}/g),
      ...found(guides, /kind: AgentProfile\nmetadata: \{ name: ([\w-]+)/g),
      ...found(samples, /kind: AgentProfile\nmetadata:\n {2}name: ([\w-]+)/g),
      ...found(guides, /[Pp]rofile `([\w-]+)`/g),
    ];
    expect(used.length).toBeGreaterThan(5);
    expect(used.filter(([, name]) => name !== "default")).toEqual([]);
  });

  it("set only values that the chart has", () => {
    const schema = JSON.parse(textOf("charts/bellhop/values.schema.json")) as Schema;
    const has = (path: string): boolean => {
      let at: Schema | undefined = schema;
      for (const part of path.split(".")) at = at?.properties?.[part];
      return at !== undefined;
    };
    const used = found(guides, /--set(?:-file)? '?([\w.]+)=/g);
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter(([, path]) => !has(path))).toEqual([]);
  });

  it("name only targets that the Makefile has", () => {
    const targets = new Set([...textOf("Makefile").matchAll(/^([a-z][a-z0-9-]*):/gm)].map(([, name]) => name));
    const used = found([...guides, "CONTRIBUTING.md", "AGENTS.md"], /(?:`|^)make ([a-z][a-z0-9-]*)/gm);
    expect(used.length).toBeGreaterThan(6);
    expect(used.filter(([, name]) => !targets.has(name))).toEqual([]);
  });

  it("build the two images that the chart and the sample profile use", () => {
    const built = shellBlocks("README.md")
      .flatMap((block) => block.split("\n"))
      .flatMap((line) => {
        const [, file = "Dockerfile", name = ""] =
          /^docker build (?:-f (\S+) )?-t registry\.example\.com\/(\S+) \.$/.exec(line) ?? [];
        return name === "" ? [] : [{ file, name }];
      });
    for (const { file } of built) expect(existsSync(join(root, file)), file).toBe(true);
    const [chart, agent] = built.map(({ name }) => name);
    expect(textOf("README.md")).toContain(
      `--set image.repository=registry.example.com/${chart?.replace(":", " --set image.tag=")} `,
    );
    expect(textOf("config/samples/agent-profile.yaml")).toContain(`image: registry.example.com/${agent}\n`);
    // `make image` gives them the same names.
    const names = Object.values(imageNames()).map((ref) => ref.replace(/^localhost\/(.*):.*$/, "$1"));
    for (const { name } of built) expect(names).toContain(name.split(":")[0]);
  });

  it("run an agent that is in the image of the sample profile", () => {
    const [profile] = parseAllDocuments(textOf("config/samples/agent-profile.yaml")).map(
      (document) => document.toJS() as { spec: { agent: { command: string[] } } },
    );
    const script = profile?.spec.agent.command.at(-1)?.replace(/^\/agents\//, "test/agents/");
    expect(textOf("images/agent/custom/Dockerfile")).toContain("COPY test/agents /agents\n");
    expect(script).toMatch(/^test\/agents\//);
    expect(existsSync(join(root, script ?? ""))).toBe(true);
  });

  it("select CRDs and resources of all kinds by group and category, so that no kind is forgotten", () => {
    const commands = ["README.md", "charts/bellhop/README.md", "docs/operations.md"].flatMap((path) =>
      shellBlocks(path),
    );
    const names = kinds.map(({ plural, group }) => `${plural}.${group}`);
    expect(commands.filter((command) => names.some((name) => command.includes(name)))).toEqual([]);
    const removal = shellBlocks("README.md", "## Remove it").join("\n");
    expect(removal).toContain("kubectl delete agenttasks --all");
    expect(removal).toContain("kubectl delete bellhop --all");
  });

  it("link only to existing files and headings", () => {
    const links = found(guides, /\]\((?!https?:)([^)]+)\)/g);
    expect(links.length).toBeGreaterThan(10);
    const broken = links.filter(([path, link]) => {
      const [file = "", heading] = link.split("#");
      const target = file === "" ? path : join(path, "..", file);
      if (!existsSync(join(root, target))) return true;
      const slugs =
        heading === undefined ? [] : [...textOf(target).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => slug(title));
      return heading !== undefined && !slugs.includes(heading);
    });
    expect(broken).toEqual([]);
  });
});

/** The anchor that GitHub makes of a heading. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}
