# One image per service: docker build --build-arg SERVICE=gateway .
ARG NODE_IMAGE=node:22-slim

# Only what npm reads, so that a change of the code does not install again.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /src
COPY . .
RUN mkdir /manifests && find package.json package-lock.json .npmrc libs apps -maxdepth 2 \( -name package.json -o -name package-lock.json -o -name .npmrc \) -exec cp --parents {} /manifests \;

FROM ${NODE_IMAGE} AS installed
WORKDIR /src
COPY --from=manifests /manifests ./
RUN npm install --no-audit --no-fund --loglevel=error

FROM installed AS build
COPY . .
RUN node scripts/build.mjs

# The packages that the service needs when it runs: no compiler, no test, nothing of a client. Without --omit=optional, npm keeps what the lock file
# has for optional peers of @prisma/client: Prisma's command with its studio, and TypeScript: half of what is installed.
FROM installed AS packages
ARG SERVICE
COPY deploy/closure.mjs deploy/
RUN node deploy/closure.mjs "apps/$SERVICE" /out manifests && cd /out && npm install --omit=dev --omit=optional --prefer-offline --no-audit --no-fund \
  && for tool in prisma typescript; do if [ -e "node_modules/$tool" ]; then echo "$tool would be in the image of $SERVICE" >&2; exit 1; fi; done

# The service and the workspaces that it builds on, compiled.
FROM build AS closure
ARG SERVICE
RUN node deploy/closure.mjs "apps/$SERVICE" /out

FROM ${NODE_IMAGE}
ARG SERVICE
# Four threads: as many password hashes as auth runs at once, and what reads files.
ENV NODE_ENV=production SERVICE=${SERVICE} UV_THREADPOOL_SIZE=4
WORKDIR /app
COPY --from=packages /out ./
COPY --from=closure /out ./
USER 1000:1000
# No core dump, and a signal opens no inspector: both would show keys and messages in memory.
CMD ["sh", "-c", "ulimit -c 0; exec node --disable-sigusr1 --disable-proto=delete \"apps/$SERVICE/dist/main.js\""]
