import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { projectRoot } from '../project-root.ts'
import type { Db } from './client.ts'
import { sqlState } from './pg-errors.ts'
import { run, type Statement } from './statement.ts'

const [MISSING_TABLE, MISSING_SCHEMA] = ['42P01', '3F000']

/**
 * How many migrations of this version the database does not have yet; 0 for a database that is ahead of it. A move of
 * messages that has not ended counts as one (`src/db/move-messages.ts`).
 */
export async function countPendingMigrations(db: Db): Promise<number> {
  const newest = await readNewest(db)
  const files = readMigrationFiles({ migrationsFolder: join(projectRoot(), 'drizzle') })
  const missing = files.filter(({ folderMillis }) => folderMillis > newest).length
  return missing + (await run(db, COUNT_MOVES))
}

const COUNT_MOVES: Statement<number> = {
  text: `select count(to_regclass('messages_unmoved'))::int as count`,
  values: [],
  read: ([row]: { count: number }[]) => row?.count ?? 0,
}

async function readNewest(db: Db): Promise<number> {
  try {
    return await run(db, {
      text: 'select coalesce(max(created_at), 0)::float8 as at from drizzle.__drizzle_migrations',
      values: [],
      read: ([row]: { at: number }[]) => row?.at ?? 0,
    })
  } catch (error) {
    if ([MISSING_TABLE, MISSING_SCHEMA].includes(sqlState(error) ?? '')) return 0
    throw error
  }
}
