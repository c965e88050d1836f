import type { KnipConfig } from "knip";

/** What nothing uses is taken out. Exported types are the reference of a module, whether or not another names them. */
const config: KnipConfig = {
  entry: [
    "src/{gateway,operator,broker,courier}/main.ts",
    "src/operator/uninstall/main.ts",
    "scripts/generate/main.ts",
    "scripts/ci.ts",
    "scripts/check-words.ts",
    "scripts/list-messages.ts",
    "scripts/slack-manifest.ts",
    "test/cluster/process-node/main.ts",
    "test/cluster/node/main.ts",
    "test/cluster/node/network-policy/main.ts",
    "test/providers/*/{main,subject}.ts",
    "test/demo/main.ts",
    "test/providers/edge.ts",
    "test/bench/main.ts",
    "test/**/*.test.ts",
    "src/**/*.test.ts",
  ],
  project: ["{src,scripts,test}/**/*.ts"],
  exclude: ["types"],
  ignoreExportsUsedInFile: true,
  ignoreDependencies: [
    "@aws-cdk/lambda-layer-kubectl-v35",
    "oxlint-tsgolint",
    "oxlint",
    "oxfmt",
    "@octokit/webhooks-examples",
  ],
  ignoreBinaries: ["make", "openssl", "nsenter", "unshare"],
};

export default config;
