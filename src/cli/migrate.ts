import { Command } from 'commander'
import { withDatabase } from './with-database.ts'

/** `migrate`: brings the schema up to date; any number of processes may run it at once. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('bring the database schema up to date')
    .action(() => withDatabase(async () => console.log('The database schema is up to date.')))
}
