import { join } from 'node:path'
import type { Config } from '../config.ts'
import { projectRoot } from '../project-root.ts'
import type { DatabaseOptions } from './client.ts'
import { type Embedded, startEmbedded } from './embedded/start.ts'

/** How to reach the configured database. */
export type DatabaseAccess = {
  /** For pools. It may lead to a pooler. */
  url: string
  /** For what needs a session of its own: LISTEN, migrations and BullMQ. */
  directUrl: string
  /** What a pool at `url` must know. */
  link: Pick<DatabaseOptions, 'isPooled' | 'pipeline'>
  /** Stops the embedded server, if that is the database. */
  stop: Embedded['stop']
}

/** What of the configuration says how to reach the database. */
export type DatabaseConfig = Pick<
  Config,
  'databaseUrl' | 'databaseDirectUrl' | 'databasePipeline' | 'embeddedFolder'
>

/**
 * Gives access to the configured database. If none is configured, starts or joins the embedded server in its folder.
 * @throws Error when the embedded server cannot be started.
 */
export async function accessDatabase(
  {
    databaseUrl,
    databaseDirectUrl,
    databasePipeline: pipeline,
    embeddedFolder = '.data/postgres',
  }: DatabaseConfig,
  log: (line: string) => void,
): Promise<DatabaseAccess> {
  if (databaseUrl === undefined) {
    const { url, stop } = await startEmbedded({ dataDir: join(projectRoot(), embeddedFolder), log })
    return { url, directUrl: url, link: {}, stop }
  }
  return {
    url: asLibpq(databaseUrl),
    directUrl: asLibpq(databaseDirectUrl ?? databaseUrl),
    link: { isPooled: databaseDirectUrl !== undefined, pipeline },
    stop: async () => {},
  }
}

/**
 * Gives `sslmode` the meaning that libpq documents. The pg library would take each mode for `verify-full`, and warn that
 * this will change.
 */
function asLibpq(url: string): string {
  const parsed = new URL(url)
  const { searchParams } = parsed
  if (!searchParams.has('sslmode')) return url
  searchParams.set('uselibpqcompat', 'true')
  // Node's own list of authorities.
  if (searchParams.get('sslrootcert') === 'system') searchParams.delete('sslrootcert')
  return parsed.href
}
