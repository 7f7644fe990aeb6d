import type { Config } from '../config.ts'
import { type Database, openDatabase } from '../db/client.ts'
import { migrate } from '../db/migrate.ts'
import { databaseUrl } from '../db/url.ts'
import { readConfig } from '../read-config.ts'

/** Migrates the configured database, runs a command on it, and closes it, however the command ends. */
export async function withDatabase(
  work: (db: Database['db'], config: Config) => Promise<void>,
): Promise<void> {
  const config = readConfig(process.env, 'cli')
  const postgres = await databaseUrl(config, (line) => console.log(line))
  try {
    await migrate(postgres.url)
    const { db, close } = openDatabase(postgres.url, { max: 2, name: 'usher-cli', onLost: () => {} })
    await work(db, config).finally(close)
  } finally {
    await postgres.stop()
  }
}
