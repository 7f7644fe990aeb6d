import { join } from 'node:path'
import type { Config } from '../config.ts'
import { projectRoot } from '../project-root.ts'
import { type Embedded, startEmbedded } from './embedded/start.ts'

/**
 * The connection string of the database to use: the configured one, whose `stop` does nothing, or else that
 * of an embedded server under `.data/postgres`, started or joined now.
 * @throws Error when the embedded server cannot be started.
 */
export async function databaseUrl(
  config: Pick<Config, 'databaseUrl'>,
  log: (line: string) => void,
): Promise<Embedded> {
  if (config.databaseUrl !== undefined) return { url: config.databaseUrl, stop: async () => {} }
  return startEmbedded({ dataDir: join(projectRoot(), '.data/postgres'), log })
}
