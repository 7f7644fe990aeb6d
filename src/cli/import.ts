import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { Command } from 'commander'
import { ConfigError } from '../config.ts'
import type { ImportSummary } from '../contact-import/schemas.ts'
import type { Db } from '../db/client.ts'
import { ApiError } from '../errors.ts'
import { readOrg } from '../orgs/read-org.ts'
import { csvSource } from './import/csv-source.ts'
import { importFile } from './import/import-file.ts'
import { ndjsonSource } from './import/ndjson-source.ts'
import { createProgress } from './import/progress.ts'
import { createRejectsFile } from './import/rejects.ts'
import { withDatabase } from './with-database.ts'

type Options = { org: string; rejects?: string }

/** `import`: imports contacts from a file, as the endpoint imports them. Fails if a line was rejected. */
export function importCommand(): Command {
  return new Command('import')
    .description('import contacts from a file; may be repeated: contacts that exist are left as they are')
    .argument('<file>', 'FILE.ndjson, or FILE.csv with a header line')
    .requiredOption('--org <id>', 'the org')
    .option('--rejects <file>', 'where rejected lines go (default: FILE.rejects.ndjson or FILE.rejects.csv)')
    .action((file: string, options: Options) => withDatabase((db) => run(db, file, options)))
}

async function run(db: Db, file: string, { org: orgId, rejects: rejectsPath }: Options): Promise<void> {
  const format = formatOf(file)
  const { size } = await stat(file).catch(({ code }) => {
    throw new ConfigError(`${file} cannot be read: ${code}`)
  })
  const open = () => openOrg(db, orgId)
  await open()
  const rejects = createRejectsFile(
    rejectsPath ?? `${file.slice(0, -extname(file).length)}.rejects.${format}`,
  )
  const progress = createProgress(size)
  const source = SOURCES[format](file)
  try {
    const summary = await importFile(db, { source, rejects, progress, actor: 'import', open })
    progress.stop()
    console.log(describe(summary, await rejects.close()))
    if (summary.rejected > 0) process.exitCode = 1
  } catch (error) {
    progress.stop()
    await rejects.close()
    throw error
  }
}

const SOURCES = { ndjson: ndjsonSource, csv: csvSource }

function formatOf(file: string): keyof typeof SOURCES {
  const format = extname(file).slice(1).toLowerCase()
  if (format === 'csv' || format === 'ndjson') return format
  throw new ConfigError(`${file} must end in .ndjson or .csv`)
}

async function openOrg(db: Db, id: string): ReturnType<typeof readOrg> {
  try {
    return await readOrg(db, id)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.error === 'ORG_IS_BEING_DELETED') throw new ConfigError(`The org ${id} is being deleted.`)
    throw new ConfigError(`There is no org ${id}: npm run provision creates it.`)
  }
}

function describe({ lines, created, exists, rejected }: ImportSummary, rejects: string | undefined): string {
  const counts = `${lines} lines: ${created} contacts created, ${exists} exist, ${rejected} rejected.`
  return rejects === undefined ? counts : `${counts} The rejected lines are in ${rejects}.`
}
