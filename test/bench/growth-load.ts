import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { insertInbound } from './rows.ts'
import { say } from './setup.ts'

const STEP = 100_000
const BATCH = 500
const BODY_BYTES = 700
/** Batches that are in the inbox at the same time, as if the workers were a moment behind. */
const BEHIND = 8

/** Adds this number of messages to the ledger, in random rooms. */
export async function insertMessages(client: pg.Client, count: number, rooms: number): Promise<void> {
  for (let done = 0; done < count; done += STEP) {
    await insertInbound(client, `more${done}`, Math.min(STEP, count - done), rooms)
    say(`  ${Math.min(count, done + STEP)} messages`)
  }
}

/** Passes this number of deliveries through the inbox as fast as possible, with the inbox's own vacuum settings. */
export async function churnInbox(client: pg.Client, count: number): Promise<void> {
  const bodies = Array.from({ length: BATCH }, () => randomBytes(BODY_BYTES))
  const here: string[][] = []
  for (let done = 0; done < count; done += BATCH) {
    const { rows } = await client.query<{ id: string }>({
      name: 'churn-in',
      text: 'insert into inbox (body) select * from unnest($1::bytea[]) returning id',
      values: [bodies],
    })
    here.push(rows.map((row) => row.id))
    const oldest = here.length > BEHIND ? here.shift() : undefined
    if (oldest) await remove(client, oldest)
    if (done % 500_000 === 0) say(`  ${done} deliveries`)
  }
  for (const ids of here) await remove(client, ids)
}

async function remove(client: pg.Client, ids: string[]): Promise<void> {
  await client.query({
    name: 'churn-out',
    text: 'delete from inbox where id = any($1::bigint[])',
    values: [ids],
  })
}
