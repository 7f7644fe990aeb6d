import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { provision } from '../orgs/provision.ts'
import { ProvisionError } from '../orgs/provision-error.ts'
import { parseProvisionFile } from '../orgs/provision-file.ts'
import { withDatabase } from './with-database.ts'

/** `provision FILE`: applies an org file in one transaction. Applying the same file again changes nothing. */
export function provisionCommand(): Command {
  return new Command('provision')
    .description(
      'apply a file of orgs with their WABAs, numbers, users, groups and affiliates; what it leaves out is kept',
    )
    .argument('<file>', 'JSON file')
    .action(async (path: string) => {
      const file = parseProvisionFile(await readText(path))
      await withDatabase(async (db, config) => {
        const done = await provision(db, file, config.secretsKey)
        console.log(
          `Provisioned ${done.orgs} org(s) with ${done.phones} number(s). ${done.unparked} parked deliveries are due for routing. ${done.released} chatrooms of removed users were released.`,
        )
      })
    })
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new ProvisionError('INVALID_INPUT', `cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`)
  }
}
