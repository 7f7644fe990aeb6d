# One image for all roles: docker run usher node dist/workers/main.js server|workers|all. It needs DATABASE_URL, and
# writes nothing: its file system may be read-only.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY run.js tsconfig.json tsconfig.build.json ./
COPY src src
COPY workers workers
# The embedded PostgreSQL and other packages for some platforms only are optional packages.
RUN npm run build && npm prune --omit=dev --omit=optional

FROM node:24-slim
ENV NODE_ENV=production OPS_HOST=0.0.0.0
WORKDIR /app
COPY --from=build /app/package.json /app/run.js ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY drizzle drizzle
COPY assets assets
USER node
EXPOSE 3000 3001
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPS_PORT || 3001}/ready`).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/workers/main.js", "all"]
