# One image for every process of Bellhop: `/app/bin/bellhop <gateway|operator|broker|courier>`, which has Node's flags for each.
# Builds anywhere: `docker build .`, `podman build .`, `buildah bud .`.
# If npm needs further settings, pass them as secrets, which stay out of every layer:
#   --secret id=npmrc,src=$HOME/.npmrc --secret id=ca,src=/path/to/roots.pem
ARG BASE=docker.io/library/node:24-bookworm-slim

# Compiles TypeScript to plain JavaScript; needs the development dependencies.
FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=secret,id=npmrc --mount=type=secret,id=ca \
    if [ -s /run/secrets/npmrc ]; then export NPM_CONFIG_USERCONFIG=/run/secrets/npmrc; fi; \
    if [ -s /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi; \
    npm ci --cache /tmp/npm --no-audit --no-fund --loglevel=error && rm -rf /tmp/npm
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/node scripts/node
COPY src src
RUN npm run -s build

# The packages that run in production, and nothing optional: the pinned Node there is for development machines.
# Types, source maps and texts of packages are half their size, and nothing reads them.
FROM ${BASE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=secret,id=npmrc --mount=type=secret,id=ca \
    if [ -s /run/secrets/npmrc ]; then export NPM_CONFIG_USERCONFIG=/run/secrets/npmrc; fi; \
    if [ -s /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi; \
    npm ci --cache /tmp/npm --omit=dev --omit=optional --no-audit --no-fund --loglevel=error && rm -rf /tmp/npm \
    && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.md' \) -delete

FROM ${BASE}
# The courier and the broker speak git; a base that has it already needs no package list.
RUN if ! command -v git > /dev/null || [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then \
      apt-get update -qq && apt-get install -y -qq --no-install-recommends git ca-certificates \
      && rm -rf /var/lib/apt/lists/*; \
    fi; \
    echo 'bellhop:x:65532:65532:Bellhop:/tmp:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'bellhop:x:65532:' >> /etc/group
WORKDIR /app
ENV NODE_ENV=production
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY bin bin
COPY --from=build /app/dist dist
# Any other user may run it too, known to /etc/passwd or not: nothing is written, and no process looks at HOME.
USER 65532:65532
ENTRYPOINT ["/app/bin/bellhop"]
