import type { Config, Role } from '../src/config.ts'
import { adviseWhenReachable } from '../src/db/advise.ts'
import { type Database, openDatabase } from '../src/db/client.ts'
import { migrateWhenReachable } from '../src/db/prepare.ts'
import { databaseUrl } from '../src/db/url.ts'
import { repairNames } from '../src/identity/repair-names.ts'
import type { Lifetime } from '../src/lifetime.ts'
import type { Logger } from '../src/logger.ts'
import { oncePerSecond } from '../src/once-per-second.ts'

type Parts = { config: Config; role: Role; log: Logger; lifetime: Lifetime }

/** The PostgreSQL of a process, and how to open a pool of connections to it. */
export type ProcessDatabase = {
  url: string
  /** Opens a pool of at most `max` connections, which the process releases when it stops. */
  openPool(name: string, max: number): Database['db']
}

/**
 * Starts the embedded server if none is configured, and migrates where this process is responsible for it: only the role
 * `all` migrates a configured database; in a split installation, `npm run migrate` is a step of the deployment.
 * @throws Error when the embedded server cannot be started or migrated.
 */
export async function startDatabase(parts: Parts): Promise<ProcessDatabase> {
  const { config, log, lifetime } = parts
  const { url, stop } = await databaseUrl(config, (line) => log.info(line))
  lifetime.onStop('embedded database', stop)
  await prepareSchema(parts, url)
  const advised = new AbortController()
  lifetime.onStop('advice about the database', () => advised.abort())
  void adviseWhenReachable(url, log, advised.signal)
  return {
    url,
    openPool(name, max) {
      const warn = oncePerSecond(log)
      const onLost = (err: Error) => warn(err, 'database connections were lost')
      const { db, close } = openDatabase(url, { max, name, onLost })
      lifetime.onStop(`database pool ${name}`, close)
      return db
    },
  }
}

/** The embedded server is migrated before anything uses it. A configured one may not be reachable yet. */
async function prepareSchema({ config, role, log, lifetime }: Parts, url: string): Promise<void> {
  const abort = new AbortController()
  const isEmbedded = config.databaseUrl === undefined
  if (!isEmbedded && role !== 'all') return
  const migrated = migrateWhenReachable(url, log, abort.signal)
  lifetime.onStop('migration', () => abort.abort())
  if (isEmbedded) await migrated
  migrated
    .then(() => repairInBackground(url, log, abort.signal))
    .catch((err) => log.fatal({ err }, 'the database could not be migrated'))
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
