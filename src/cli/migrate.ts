import { Command } from 'commander'
import { withDatabase } from './with-database.ts'

/** `migrate`: brings the database schema up to date. Several processes may run it at the same time. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('bring the database schema up to date')
    .action(() => withDatabase(async () => console.log('The database schema is up to date.')))
}
