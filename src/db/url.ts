import { join } from 'node:path'
import type { Config } from '../config.ts'
import { projectRoot } from '../project-root.ts'
import { type Embedded, startEmbedded } from './embedded/start.ts'

/**
 * The connection string of the configured database, whose `stop` does nothing. If none is configured, starts or joins
 * the embedded server under `.data/postgres`.
 * @throws Error when the embedded server cannot be started.
 */
export async function databaseUrl(
  config: Pick<Config, 'databaseUrl'>,
  log: (line: string) => void,
): Promise<Embedded> {
  if (config.databaseUrl !== undefined) return { url: config.databaseUrl, stop: async () => {} }
  return startEmbedded({ dataDir: join(projectRoot(), '.data/postgres'), log })
}
