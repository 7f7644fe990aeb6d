import pg from 'pg'
import type { Lab } from './lab.ts'

/** Holds the locks that a statement takes until `work` is done. */
export async function whileLocked(
  { databaseUrl }: Pick<Lab, 'databaseUrl'>,
  statement: string,
  work: () => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'lab' })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query('begin')
    await client.query(statement)
    await work()
  } finally {
    await client.end()
  }
}
