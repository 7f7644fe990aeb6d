import type { Config, Role } from '../src/config.ts'
import { adviseWhenReachable } from '../src/db/advise.ts'
import { type Database, openDatabase } from '../src/db/client.ts'
import { migrateWhenReachable } from '../src/db/prepare.ts'
import { refuseMistakes } from '../src/db/prove-connections.ts'
import { accessDatabase, type DatabaseAccess } from '../src/db/url.ts'
import { repairNames } from '../src/identity/repair-names.ts'
import type { Lifetime } from '../src/lifetime.ts'
import type { Logger } from '../src/logger.ts'
import { oncePerSecond } from '../src/once-per-second.ts'

type Parts = {
  config: Config
  role: Role
  log: Logger
  lifetime: Lifetime
  /** Its parent process migrates and gives advice. */
  isForked?: boolean
}

/** Connections of one pool where they are scarce. */
const SCARCE = 3

/** The PostgreSQL of a process, and how to open a pool of connections to it. */
export type ProcessDatabase = Omit<DatabaseAccess, 'stop'> & {
  /** Each connection takes one of the few that a pooler in session mode gives, by default 20. */
  isScarce: boolean
  /** Resolves when this process has migrated the database, if it is responsible for that. */
  migrated: Promise<void>
  /** Opens a pool of at most `max` connections, which the process releases when it stops. */
  openPool(name: string, max: number): Database['db']
}

/**
 * Starts the embedded server if none is configured, and migrates where this process is responsible for it: only the role
 * `all` migrates a configured database; in a split installation, `npm run migrate` is a step of the deployment.
 * @throws SetupError when the configured database can be reached, but not used as it is; Error when the embedded server
 * cannot be started or migrated.
 */
export async function startDatabase(parts: Parts): Promise<ProcessDatabase> {
  const { config, log, lifetime } = parts
  const { stop, ...access } = await accessDatabase(config, (line) => log.info(line))
  lifetime.onStop('embedded database', stop)
  const isScarce = config.databaseUrl !== undefined && (await isBehindPooler(access))
  if (isScarce)
    log.info(
      'a pooler stands before PostgreSQL: this process opens at most 20 connections; with DATABASE_DIRECT_URL it shares them',
    )
  const migrated = parts.isForked ? Promise.resolve() : prepareSchema(parts, access.directUrl)
  // The embedded server is migrated before anything uses it. A configured one may not be reachable yet.
  if (config.databaseUrl === undefined) await migrated
  if (!parts.isForked) adviseInBackground(parts, access.directUrl)
  return {
    ...access,
    isScarce,
    migrated,
    openPool(name, max) {
      const warn = oncePerSecond(log)
      const onLost = (err: Error) => warn(err, 'database connections were lost')
      const { db, close } = openDatabase(access.url, {
        max: isScarce ? Math.min(max, SCARCE) : max,
        name,
        onLost,
        ...access.link,
      })
      lifetime.onStop(`database pool ${name}`, close)
      return db
    },
  }
}

async function isBehindPooler(access: Omit<DatabaseAccess, 'stop'>): Promise<boolean> {
  const { hasPooler } = await refuseMistakes(access)
  return hasPooler && !access.link.isPooled
}

function adviseInBackground({ log, lifetime }: Parts, url: string): void {
  const advised = new AbortController()
  lifetime.onStop('advice about the database', () => advised.abort())
  void adviseWhenReachable(url, log, advised.signal)
}

/** Resolves when the database is migrated, at once where that is not up to this process. */
function prepareSchema({ config, role, log, lifetime }: Parts, url: string): Promise<void> {
  if (config.databaseUrl !== undefined && role !== 'all') return Promise.resolve()
  const abort = new AbortController()
  const migrated = migrateWhenReachable(url, log, abort.signal)
  lifetime.onStop('migration', () => abort.abort())
  migrated
    .then(() => repairInBackground(url, log, abort.signal))
    .catch((err) => log.fatal({ err }, 'the database could not be migrated'))
  return migrated
}

/** Repairs names while messages are routed already. What a failure leaves is repaired at the next start. */
async function repairInBackground(url: string, log: Logger, signal: AbortSignal): Promise<void> {
  const { db, close } = openDatabase(url, { max: 1, name: 'usher-repair', onLost: () => {} })
  try {
    const repaired = await repairNames(db, signal)
    if (repaired > 0) log.info({ repaired }, 'names of customers were repaired')
  } catch (err) {
    log.warn({ err }, 'names of customers could not be repaired')
  } finally {
    await close()
  }
}
