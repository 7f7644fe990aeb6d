import type { Db } from '../db/client.ts'
import { allRows, run } from '../db/statement.ts'

/** A WABA of an org with the present `phone_number_id`s of its numbers. */
export type Waba = {
  id: string
  accessToken: Buffer | null
  numbers: { id: string; stopped: string | null }[]
}

/** The WABAs of an org; undefined when there is no such org. */
export async function readWabas(db: Db, orgId: string): Promise<Waba[] | undefined> {
  const rows = await run(db, {
    text: `select w.id, w.access_token as "accessToken",
        coalesce(json_agg(json_build_object('id', p.remote_id, 'stopped', p.stopped_reason) order by p.position)
          filter (where p.id is not null), '[]') as numbers
      from orgs o left join wabas w on w.org_id = o.id
      left join waba_phones p on p.org_id = w.org_id and p.waba_id = w.id
      where o.id = $1 group by w.org_id, w.id order by w.id`,
    values: [orgId],
    read: allRows<Waba | { id: null }>,
  })
  return rows.length === 0 ? undefined : rows.filter((row): row is Waba => row.id !== null)
}
