import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { SetupError } from '../config.ts'
import { projectRoot } from '../project-root.ts'
import type { Db } from './client.ts'
import { sqlState } from './pg-errors.ts'
import { firstRow, run } from './statement.ts'

const NOT_MIGRATED = 'The database does not have the tables of this version of Usher yet: run npm run migrate'
const [MISSING_TABLE, NO_PERMISSION] = ['42P01', '42501']

/**
 * Proves that all migrations of this version were applied. A database that is ahead of this version is accepted, because
 * migrations are made for the version before them too.
 * @throws SetupError when one is missing; what PostgreSQL or the network says when it cannot be asked.
 */
export async function proveSchema(db: Db): Promise<void> {
  const newest = Math.max(...readMigrationFiles({ migrationsFolder: FOLDER }).map((one) => one.folderMillis))
  const applied = await readNewest(db)
  if (applied < newest) throw new SetupError(NOT_MIGRATED)
}

const FOLDER = join(projectRoot(), 'drizzle')

async function readNewest(db: Db): Promise<number> {
  try {
    const row = await run(db, {
      text: 'select max(created_at)::float8 as at from drizzle.__drizzle_migrations',
      values: [],
      read: firstRow<{ at: number | null }>,
    })
    return row?.at ?? 0
  } catch (error) {
    if (sqlState(error) === MISSING_TABLE) return 0
    // A role with the least rights may lack this one. The other probes read the tables themselves.
    if (sqlState(error) === NO_PERMISSION) return Number.POSITIVE_INFINITY
    throw error
  }
}
