import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startEmbedded } from '../../src/db/embedded/start.ts'
import { migrate } from '../../src/db/migrate.ts'
import { findChromium } from './browser.ts'
import { findRedis, type RunningRedis, startRedis } from './redis.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the embedded server's own database; tests clone theirs with `createTestDatabase`. */
    postgresUrl: string
    /** '' when there is no redis-server on this machine. */
    redisUrl: string
  }
}

type Servers = { postgresUrl: string; redisUrl: string; stop(): Promise<void> }

/** Vitest loads this file once for every project; the servers are shared by all of them. */
const shared = globalThis as { usherTestServers?: { users: number; started: Promise<Servers> } }

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.usherTestServers ??= { users: 0, started: startServers() }
  const servers = shared.usherTestServers
  servers.users += 1
  const { postgresUrl, redisUrl, stop } = await servers.started
  project.provide('postgresUrl', postgresUrl)
  project.provide('redisUrl', redisUrl)
  return async () => {
    servers.users -= 1
    if (servers.users > 0) return
    delete shared.usherTestServers
    await stop()
  }
}

async function startServers(): Promise<Servers> {
  const undo: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const step of undo) await step()
  }
  try {
    const folder = await mkdtemp(join(tmpdir(), 'usher-test-'))
    undo.unshift(() => rm(folder, { recursive: true }))
    // As root, PostgreSQL runs as another user, who must be able to pass through.
    await chmod(folder, 0o755)
    if (findChromium() === undefined)
      console.log('chromium not found: the browser tests (test/e2e/console.test.ts) do not run')
    const redis = await startRedisIfThere()
    if (redis) undo.unshift(redis.stop)
    const postgres = await startEmbedded({ dataDir: join(folder, 'postgres'), log: console.log })
    undo.unshift(postgres.stop)
    await createTemplate(postgres.url)
    return { postgresUrl: postgres.url, redisUrl: redis?.url ?? '', stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function createTemplate(url: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  // Nobody needs the data after a power cut, and nothing else loses what is not flushed to the disk.
  await client.query('alter system set fsync = off')
  await client.query('select pg_reload_conf()')
  await client.query('create database usher_template')
  await migrate(withDatabase(url, 'usher_template'))
  await client.query('alter database usher_template with is_template true allow_connections false')
  await client.end()
}

async function startRedisIfThere(): Promise<RunningRedis | undefined> {
  if (findRedis() !== undefined) return startRedis()
  console.log('redis-server not found: the Redis half of the tests does not run')
  return undefined
}

function withDatabase(url: string, name: string): string {
  return Object.assign(new URL(url), { pathname: `/${name}` }).href
}
