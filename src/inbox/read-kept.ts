import type { Db } from '../db/client.ts'
import { firstRow, run } from '../db/statement.ts'

/** A delivery that is parked or dead, with its bytes. */
export type KeptDelivery = {
  id: number
  state: 'parked' | 'dead'
  waitsFor: string | null
  error: string | null
  requeues: number
  receivedAt: Date
  body: Buffer
}

/** One parked delivery or dead letter; undefined when there is none of this id. */
export async function readKept(db: Db, id: number): Promise<KeptDelivery | undefined> {
  const row = await run(db, {
    name: 'read-kept-delivery',
    text: `select state, parked_for as "waitsFor", error, requeues, received_at as "receivedAt", body
      from inbox where id = $1 and state in ('parked', 'dead')`,
    values: [id],
    read: firstRow<Omit<KeptDelivery, 'id'>>,
  })
  return row && { ...row, id }
}
