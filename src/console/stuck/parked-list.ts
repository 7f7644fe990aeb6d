import type { Db } from '../../db/client.ts'
import { allRows, run } from '../../db/statement.ts'

/** A number or WABA (`phone:<id>` or `waba:<id>`), how many deliveries wait for it, and since when. */
export type Parked = { waitsFor: string; deliveries: number; since: Date }

/** Groups the first 10,000 parked deliveries by what they wait for; returns the 50 largest groups. */
export function listParked(db: Db): Promise<Parked[]> {
  return run(db, {
    name: 'console-parked',
    text: `select parked_for as "waitsFor", count(*)::int as deliveries, min(received_at) as since
      from (select parked_for, received_at from inbox where state = 'parked' order by parked_for, id limit 10000) p
      group by parked_for order by deliveries desc, parked_for limit 50`,
    values: [],
    read: allRows<Parked>,
  })
}
