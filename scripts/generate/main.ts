import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { integrationKinds } from "../../src/api/integration-kinds.ts";
import { kinds } from "../../src/api/kinds.ts";
import { crd } from "./crd.ts";
import { policies } from "./policies.ts";
import { reference } from "./reference.ts";

/** Writes all files that are generated from `src/api`. `npm run generate` runs it; `make check` checks its files. */
const root = join(import.meta.dirname, "../..");
const note = "# Generated from src/api by `npm run generate`. Do not edit.\n";

for (const kind of kinds) {
  const yaml = note + stringify(crd(kind), { lineWidth: 0, aliasDuplicateObjects: false });
  write(`config/crd/${kind.group}_${kind.plural}.yaml`, yaml);
  write(`charts/bellhop/files/crds/${kind.group}_${kind.plural}.yaml`, yaml);
}
for (const [name, policy] of Object.entries(policies())) {
  const yaml = note + stringify(policy, { lineWidth: 0 });
  write(`config/policies/${name}.yaml`, yaml);
  write(`charts/bellhop/files/policies/${name}.yaml`, yaml);
}
const integrations = Object.values(integrationKinds).map(({ plural }) => plural);
write("charts/bellhop/files/integrations.yaml", note + stringify(integrations));
write("docs/reference/api.md", reference(kinds));

function write(path: string, text: string): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
