# One image per service: docker build --build-arg SERVICE=gateway .
ARG NODE_IMAGE=node:22-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY libs libs
COPY apps apps
RUN npm ci --no-audit --no-fund
COPY . .
RUN node scripts/build.mjs

FROM build AS closure
ARG SERVICE
RUN node deploy/closure.mjs apps/${SERVICE} /out && cd /out && npm install --omit=dev --no-audit --no-fund

FROM ${NODE_IMAGE}
ARG SERVICE
ENV NODE_ENV=production SERVICE=${SERVICE} UV_THREADPOOL_SIZE=4
WORKDIR /app
COPY --from=closure /out ./
USER 1000:1000
CMD ["sh", "-c", "exec node --disable-proto=delete apps/$SERVICE/dist/main.js"]
