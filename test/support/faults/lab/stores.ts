import { chmod, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cleanup } from './cleanup.ts'
import { createLabDatabase, type LabDatabase } from './database.ts'
import { type FaultyPostgres, startFaultyPostgres } from './postgres.ts'
import { type FaultyRedis, startFaultyRedis } from './redis.ts'

export type Stores = {
  /** The folder of the stores and of the logs of the processes. */
  folder: string
  postgres: FaultyPostgres
  database: LabDatabase
  redis: FaultyRedis | undefined
}

/** A database of its own, on the server given or on one of its own, and a Redis where the queue is on Redis. */
export async function startStores(
  engine: 'postgres' | 'redis',
  server: FaultyPostgres | undefined,
  cleanup: Cleanup,
): Promise<Stores> {
  const folder = await makeFolder('usher-lab-')
  const postgres = server ?? (await startFaultyPostgres(folder))
  if (!server) cleanup.add(() => postgres.stop())
  const database = await createLabDatabase(postgres.url)
  cleanup.add(() => database.close())
  const redis = engine === 'redis' ? await startFaultyRedis() : undefined
  if (redis) cleanup.add(() => redis.stop())
  return { folder, postgres, database, redis }
}

/** A folder for a server. Where tests run as root, PostgreSQL runs as another user, who must be able to pass through. */
export async function makeFolder(prefix: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix))
  await chmod(folder, 0o755)
  return folder
}
