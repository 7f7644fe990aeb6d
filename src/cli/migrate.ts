import { Command } from 'commander'
import { repairNames } from '../identity/repair-names.ts'
import { withDatabase } from './with-database.ts'

/** `migrate`: brings the database schema up to date. Several processes may run it at the same time. */
export function migrateCommand(): Command {
  return new Command('migrate').description('bring the database schema up to date').action(() =>
    withDatabase(async (db) => {
      const repaired = await repairNames(db)
      if (repaired > 0) console.log(`Names of customers repaired: ${repaired}.`)
      console.log('The database schema is up to date.')
    }),
  )
}
