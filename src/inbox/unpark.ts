import type { Db } from '../db/client.ts'

/**
 * Makes deliveries whose number or WABA is provisioned by now due for routing; requeue-stranded picks them up.
 * Looks by what is known, not by what is parked: few numbers are, whatever anybody else sends us.
 */
export async function unparkDeliveries(db: Db): Promise<number> {
  const { rowCount } = await db.$client.query({
    name: 'unpark-deliveries',
    text: `update inbox i set state = 'new', parked_for = null, due_at = now()
      from meta_objects m where i.state = 'parked' and i.parked_for = m.kind || ':' || m.id`,
  })
  return rowCount ?? 0
}
