import type { Config } from '../config.ts'
import type { Db } from '../db/client.ts'
import { readNow } from '../db/read-now.ts'
import { type Check, fail } from './check.ts'
import { checkCallback } from './check-callback.ts'
import { checkDatabase } from './check-database.ts'
import { checkMeta } from './check-meta.ts'
import { checkNode } from './check-node.ts'
import { checkRedis } from './check-redis.ts'
import { checkSecrets } from './check-secrets.ts'
import { createGraphGet } from './graph-get.ts'

type Parts = {
  config: Pick<Config, 'meta' | 'jwt' | 'secretsKey' | 'redis' | 'graph'>
  db: Db
  databaseUrl: string
  /** This machine's time in milliseconds. */
  now: () => number
}

/** What to look at besides the installation: an org at Meta, and the callback URL. */
export type Wanted = { orgId?: string | undefined; callbackUrl?: string | undefined }

/** Looks at all that Usher needs and changes nothing. Never rejects: what does not answer is a failed check. */
export async function examine(parts: Parts, { orgId, callbackUrl }: Wanted): Promise<Check[]> {
  const { config, db, databaseUrl: url, now } = parts
  const [database, redis, meta, callback] = await Promise.all([
    checkDatabase({ db, url, now }),
    checkRedis(config.redis),
    orgId === undefined ? [] : examineOrg(parts, orgId),
    callbackUrl === undefined ? [] : [await checkCallback(callbackUrl, config.meta.verifyTokens)],
  ])
  const own = [checkNode(process.version), ...checkSecrets(config)]
  return [...own, ...database, ...redis, ...callback, ...meta]
}

async function examineOrg({ config, db }: Parts, orgId: string): Promise<Check[]> {
  try {
    const { secretsKey, meta } = config
    const graph = createGraphGet(config.graph)
    return await checkMeta(
      { db, graph, secretsKey, appSecrets: meta.appSecrets, now: await readNow(db) },
      orgId,
    )
  } catch {
    return [fail('Org', 'cannot be read, because the database does not answer', 'see PostgreSQL')]
  }
}
