import type { Db } from '../db/client.ts'
import { rowCount, run } from '../db/statement.ts'

/**
 * Makes parked deliveries whose number or WABA has been provisioned due for routing; `requeueStranded` enqueues them.
 * The search begins at the provisioned objects, which are few, however many deliveries are parked.
 */
export function unparkDeliveries(db: Db): Promise<number> {
  return run(db, {
    name: 'unpark-deliveries',
    text: `update inbox i set state = 'new', parked_for = null, due_at = now()
      from meta_objects m where i.state = 'parked' and i.parked_for = m.kind || ':' || m.id`,
    values: [],
    read: rowCount,
  })
}
