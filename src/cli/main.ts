import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { ConfigError, SetupError } from '../config.ts'
import { ProvisionError } from '../orgs/provision-error.ts'
import { doctorCommand } from './doctor.ts'
import { importCommand } from './import.ts'
import { migrateCommand } from './migrate.ts'
import { opsUserCommand } from './ops-user.ts'
import { provisionCommand } from './provision.ts'
import { retentionCommand } from './retention.ts'
import { simulateCommand } from './simulate.ts'
import { sweepCommand } from './sweep.ts'
import { tokenCommand } from './token.ts'
import { webhooksListenCommand } from './webhooks-listen.ts'

/** The command line: `node main.js COMMAND`. A command exits with 0, or with 1 after an error. */
async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env')
  const program = new Command('usher').description('Leads every inbound WhatsApp message to its chatroom.')
  const commands = [
    doctorCommand(),
    importCommand(),
    migrateCommand(),
    opsUserCommand(),
    provisionCommand(),
    retentionCommand(),
    simulateCommand(),
    sweepCommand(),
    tokenCommand(),
    webhooksListenCommand(),
  ]
  for (const command of commands) program.addCommand(command)
  await program.parseAsync()
}

main().catch((error: Error) => {
  const expected = [ConfigError, SetupError, ProvisionError].some((kind) => error instanceof kind)
  process.stderr.write(`${expected ? error.message : error.stack}\n`)
  process.exitCode = 1
})
