# The commands of this project. `make help` lists them; every target does its own set-up.
.DEFAULT_GOAL := help
MODULES := node_modules/.package-lock.json
NPM := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
CHECKS := check-types check-lint check-format check-unused check-generated check-words
# Further arguments for vitest, for example VITEST='test/integration -t "main job"'.
VITEST ?=
# Names of benchmarks; all of them if this is empty.
BENCH ?=
# Paths for check-words, for example IN=src/gateway, and --table for numbers; everything if empty.
IN ?=
# For slack-manifest: the URL of a SlackApp (kubectl get slackapps), and the file with the SlackApp; the sample if it is empty.
URL ?=
APP ?=
# Options of scripts/list-messages.ts: --docstrings or --tests, --sample N --seed S.
LIST ?=

.PHONY: help demo demo-down test check $(CHECKS) messages slack-manifest fix generate image e2e bench build ci modules checks
help: ## List the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(MODULES): package.json package-lock.json
	@command -v npm > /dev/null || { echo "npm is missing: install Node.js with npm (nodejs.org; on Debian: apt-get install nodejs npm)"; exit 1; }
	@echo "installing the pinned npm packages"
	@$(NPM) && touch $@

demo: $(MODULES) ## Show a comment on GitHub become a pull request, on a real cluster (FROM=slack: a thread in Slack; KEEP=1 leaves it running)
	@scripts/node test/demo/main.ts

demo-down: $(MODULES) ## Stop everything that `make demo KEEP=1` left running
	@scripts/node test/demo/main.ts down

# Several of check, test and e2e in one command: each runs to its end, and the last line has the sum of all results.
SEVERAL := $(filter check test e2e,$(MAKECMDGOALS))
ifneq ($(word 2,$(SEVERAL)),)
.PHONY: several
$(SEVERAL): several
	@:
several: $(MODULES)
	@scripts/node scripts/ci.ts $(if $(filter check,$(SEVERAL)),$(CHECKS)) -- $(filter-out check,$(SEVERAL))
else

test: $(MODULES) ## Run unit, cluster and journey tests (on a real API server, which is built once and then cached)
	@npm run -s test -- --project unit --project cluster --project journey $(VITEST)

e2e: $(MODULES) ## Run property tests with all cases, the chaos tests, and the e2e tests on a real node (root on Linux; BELLHOP_E2E=off skips the node). Skipped tests are listed with the reason
	@npm run -s test -- --project thorough --project chaos --project e2e $(VITEST)

check: $(CHECKS) ## Check types, lint, format, dead code, generated files and words

endif

check-types: $(MODULES)
	@npm run -s typecheck

check-lint: $(MODULES)
	@npm run -s lint

check-format: $(MODULES)
	@npm run -s format:check

check-unused: $(MODULES)
	@npm run -s knip

check-generated: $(MODULES)
	@scripts/check-generated

check-words: $(MODULES) ## Find words that scripts/words.ts forbids (IN=src/gateway for one folder, IN=--table for numbers)
	@scripts/node scripts/check-words.ts $(IN)

messages: $(MODULES) ## Print every message that people read (LIST="--sample 30 --seed 1", --docstrings, --tests)
	@scripts/node scripts/list-messages.ts $(LIST)

slack-manifest: $(MODULES) ## Print the manifest of the Slack app (URL=https://…/hooks/<route>, INSTALL_URL=https://…/install/…, APP=my-slack-app.yaml)
	@scripts/node scripts/slack-manifest.ts --url "$(URL)" --install-url "$(INSTALL_URL)" --app "$(APP)"

bench: $(MODULES) ## Measure speed and size, as ratios (BENCH="gateway memory" runs only these)
	@scripts/node test/bench/main.ts $(BENCH)

fix: $(MODULES) ## Format the code and apply the linter's fixes
	@npm run -s format
	@npm run -s lint -- --fix

generate: $(MODULES) ## Generate CRDs, policies, the chart's copies and the API reference from src/api
	@npm run -s generate

build: $(MODULES) ## Compile to plain JavaScript in dist/
	@npm run -s build

image: $(MODULES) ## Build the images without Docker (root on Debian); prints their names and archives
	@scripts/node test/cluster/node/main.ts images

ci: ## Run check, test and e2e, each to its end; the last line is `N passed, N failed`
	@.ci/run

modules: $(MODULES)

checks:
	@echo $(CHECKS)
