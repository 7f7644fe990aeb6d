import { Command } from 'commander'
import { openDatabase } from '../db/client.ts'
import { accessDatabase } from '../db/url.ts'
import type { Check } from '../doctor/check.ts'
import { examine } from '../doctor/examine.ts'
import { readConfig } from '../read-config.ts'

type Options = { org?: string; url?: string; json?: boolean }

const MARKS = { ok: '✓', warning: '!', failed: '✗' } as const

/** `doctor`: lists what works and what does not, with remedies, and exits with 1 if something does not work. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check the installation, and with --org what Meta says about the numbers of an org')
    .option('--org <id>', 'ask Meta about the WABAs and numbers of this org')
    .option('--url <url>', 'send the handshake to this callback URL, as Meta does')
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const checks = await examineInstallation(options)
      console.log(options.json ? JSON.stringify(checks, null, 2) : describeChecks(checks))
      if (checks.some(({ status }) => status === 'failed')) process.exitCode = 1
    })
}

/** Nothing is migrated or changed. */
async function examineInstallation({ org, url }: Options): Promise<Check[]> {
  const config = readConfig(process.env, 'cli')
  const postgres = await accessDatabase(config, (line) => console.error(line))
  const { db, close } = openDatabase(postgres.url, {
    max: 2,
    name: 'usher-doctor',
    onLost: () => {},
    ...postgres.link,
  })
  try {
    const parts = { config, db, databaseUrl: postgres.directUrl, now: Date.now }
    return await examine(parts, { orgId: org, callbackUrl: url })
  } finally {
    await close()
    await postgres.stop()
  }
}

function describeChecks(checks: Check[]): string {
  const lines = checks.map(({ name, status, found, remedy }) => {
    const line = `${MARKS[status]} ${name}: ${found}`
    return remedy === undefined ? line : `${line}\n    ${remedy}`
  })
  const failed = checks.filter(({ status }) => status === 'failed').length
  return [...lines, '', failed === 0 ? 'Nothing is broken.' : `${failed} of ${checks.length} failed.`].join(
    '\n',
  )
}
