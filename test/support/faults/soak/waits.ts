import type { Lab } from '../lab/lab.ts'
import { LATE_NUMBER } from '../lab/orgs.ts'
import { type Quantiles, quantiles } from './quantiles.ts'

/**
 * How many ms passed from the first 200 to the moment a message was stored. The messages to the number that was
 * provisioned late do not count: they had to wait for that.
 */
export async function waitsUntilStored({ db, meta }: Lab): Promise<Quantiles> {
  const { rows } = await db.$client.query<{ wamid: string; written_at: Date }>(
    `select wamid, lab_written_at as written_at from messages where direction = 'in'`,
  )
  const waits = rows.flatMap(({ wamid, written_at }) => {
    const posted = meta.log.messages.get(wamid)
    if (posted?.ackedAt === undefined || posted.number.phoneId === LATE_NUMBER.phoneId) return []
    return [Math.max(0, written_at.getTime() - posted.ackedAt)]
  })
  return quantiles(waits)
}
