import type { Db } from '../db/client.ts'
import type { AccountEvent } from '../webhook/items.ts'

/** Keeps webhook fields that are no messages, each once. */
export async function keepAccountEvents(tx: Db, events: (AccountEvent & { orgId: string })[]): Promise<void> {
  if (events.length === 0) return
  await tx.$client.query({
    name: 'keep-account-events',
    text: `insert into account_events (org_id, digest, waba_id, field, received_at, payload)
      select * from unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::timestamptz[], $6::json[])
      on conflict do nothing`,
    values: [
      events.map((e) => e.orgId),
      events.map((e) => e.digest),
      events.map((e) => e.wabaId),
      events.map((e) => e.field),
      events.map((e) => e.receivedAt),
      events.map((e) => e.payload),
    ],
  })
}
