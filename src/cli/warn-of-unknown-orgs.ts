import { openDatabase } from '../db/client.ts'
import { accessDatabase, type DatabaseConfig } from '../db/url.ts'
import { within } from '../deadline.ts'

const DEADLINE_MS = 3_000

/**
 * Writes a warning to standard error for each of the orgs that does not exist, because every request with a token for it
 * is answered with 403. Standard output stays free for the token. Never rejects: a token can be signed without a database.
 */
export async function warnOfUnknownOrgs(orgIds: string[], config: DatabaseConfig): Promise<void> {
  try {
    for (const id of await findUnknown(orgIds, config))
      console.error(
        `There is no org ${id}: the API answers 403 to this token until the org is provisioned (npm run provision).`,
      )
  } catch {
    console.error('The database could not be asked whether the org exists.')
  }
}

async function findUnknown(orgIds: string[], config: DatabaseConfig): Promise<string[]> {
  const postgres = await accessDatabase(config, (line) => console.error(line))
  try {
    const { db, close } = openDatabase(postgres.url, {
      max: 1,
      name: 'usher-token',
      onLost: () => {},
      ...postgres.link,
    })
    const text =
      'select id from unnest($1::text[]) id where not exists (select from orgs o where o.id = id.id)'
    const { rows } = await within(DEADLINE_MS, () =>
      db.$client.query<{ id: string }>(text, [orgIds]),
    ).finally(close)
    return rows.map(({ id }) => id)
  } finally {
    await postgres.stop()
  }
}
