# What a person types. `make help` lists it; every target does its own set-up.
.DEFAULT_GOAL := help
MODULES := node_modules/.package-lock.json
NPM := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

.PHONY: help demo test check fix generate image e2e build
help: ## List the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(MODULES): package.json package-lock.json
	@echo "installing the pinned npm packages"
	@$(NPM) && touch $@

test: $(MODULES) ## Unit and cluster tests (a real API server; builds it once, then from a cache)
	@npm run -s test -- --project unit --project cluster

check: $(MODULES) ## Types, lint, format, dead code, generated files
	@npm run -s typecheck
	@npm run -s lint
	@npm run -s format:check
	@npm run -s knip
	@scripts/check-generated

fix: $(MODULES) ## Format, and mend what the linter can
	@npm run -s format
	@npm run -s lint -- --fix

generate: $(MODULES) ## Write config/crd, the chart's copies and the reference from src/api
	@npm run -s generate

build: $(MODULES) ## Compile to plain JavaScript in dist/
	@npm run -s build
