import type { Db } from '../../db/client.ts'

export type OrgName = { id: string; name: string }

const MOST = 1_000

/** The orgs an operator may pick from, by name; the first thousand of them. */
export async function listOrgs(db: Db): Promise<OrgName[]> {
  const { rows } = await db.$client.query<OrgName>({
    name: 'console-orgs',
    text: `select id, name from orgs order by lower(name), id limit ${MOST}`,
  })
  return rows
}
