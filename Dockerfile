# One image per service: docker build --build-arg SERVICE=gateway .
ARG NODE_IMAGE=node:22-slim

# Only what npm reads, so that a change of the code does not install again.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /src
COPY . .
RUN mkdir /manifests && find package.json package-lock.json .npmrc libs apps -maxdepth 2 \( -name package.json -o -name package-lock.json -o -name .npmrc \) -exec cp --parents {} /manifests \;

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY --from=manifests /manifests ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN node scripts/build.mjs

# The service, the workspaces it depends on and their packages: no test, no client, no compiler.
FROM build AS closure
ARG SERVICE
RUN node deploy/closure.mjs "apps/$SERVICE" /out && cd /out && npm install --omit=dev --prefer-offline --no-audit --no-fund

FROM ${NODE_IMAGE}
ARG SERVICE
# As many threads for password hashes as auth runs at once, and some for files and names.
ENV NODE_ENV=production SERVICE=${SERVICE} UV_THREADPOOL_SIZE=4
WORKDIR /app
COPY --from=closure /out ./
USER 1000:1000
# A signal opens no inspector: it would show keys and messages in memory.
CMD ["sh", "-c", "exec node --disable-sigusr1 --disable-proto=delete \"apps/$SERVICE/dist/main.js\""]
