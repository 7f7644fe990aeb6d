import { SetupError } from '../config.ts'
import type { Db } from './client.ts'
import { countPendingMigrations } from './count-pending-migrations.ts'
import { sqlState } from './pg-errors.ts'

const NOT_MIGRATED = 'The database does not have the tables of this version of Usher yet: run npm run migrate'
const NO_PERMISSION = '42501'

/**
 * Proves that all migrations of this version were applied. A database that is ahead of this version is accepted, because
 * migrations are made for the version before them too. So is one whose list of migrations the role may not read: the
 * other probes read the tables themselves.
 * @throws SetupError when one is missing; what PostgreSQL or the network says when it cannot be asked.
 */
export async function proveSchema(db: Db): Promise<void> {
  const pending = await countPendingMigrations(db).catch((error) => {
    if (sqlState(error) === NO_PERMISSION) return 0
    throw error
  })
  if (pending > 0) throw new SetupError(NOT_MIGRATED)
}
