# docker build -t fanout-bench .
# docker run --rm -p 127.0.0.1:8080:8080 -e ALLOW_ANONYMOUS=true fanout-bench
#
# Works with a read-only root filesystem: the service writes nothing to disk.

FROM node:26.10.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# With the optional dependencies: the bundler's native part is one.
RUN npm ci --ignore-scripts
COPY build.ts tsconfig.json ./
COPY otel ./otel
COPY src ./src
RUN node build.ts

FROM node:26.10.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The optional dependencies are Node itself, which the image has.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:26.10.0-bookworm-slim
# Something must reap the workers that a killed runner leaves to process 1, and Node reaps only its own children.
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
LABEL org.opencontainers.image.title="fanout-bench" \
      org.opencontainers.image.description="Which way of running N independent pieces of work at once is fastest in Node, by how much, and why" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
# Outside its container nobody reaches the service unless its port is published; it then asks for BENCH_TOKEN, or
# for ALLOW_ANONYMOUS=true, before it starts.
ENV NODE_ENV=production HOST=0.0.0.0
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8080}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "node", "--import", "./dist/register.js", "dist/main.js"]
