import type { Config } from '../config.ts'
import { type Database, openDatabase } from '../db/client.ts'
import { migrate } from '../db/migrate.ts'
import { refuseMistakes } from '../db/prove-connections.ts'
import { accessDatabase } from '../db/url.ts'
import { readConfig } from '../read-config.ts'

/** Migrates the configured database, runs a command on it, and closes it, however the command ends. */
export async function withDatabase(
  work: (db: Database['db'], config: Config) => Promise<void>,
): Promise<void> {
  const config = readConfig(process.env, 'cli')
  const report = (line: string) => console.log(line)
  const { url, directUrl, link, stop } = await accessDatabase(config, report)
  try {
    await refuseMistakes({ url, directUrl, link })
    await migrate(directUrl, report)
    const { db, close } = openDatabase(url, { max: 2, name: 'usher-cli', onLost: () => {}, ...link })
    await work(db, config).finally(close)
  } finally {
    await stop()
  }
}
