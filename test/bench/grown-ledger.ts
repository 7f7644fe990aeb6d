import pg from 'pg'
import { CUSTOMER, ORG, PHONE, ROOM, USER_ID, WA_ID } from './load.ts'

/** The current month and those before it, over which a grown ledger is spread evenly. */
const MONTHS = 4
const PART = 500_000

/**
 * Fills the ledger with messages of random rooms, a quarter of them in each of the last four months, this one included. The
 * indexes are dropped before and built at the end: each part would take longer than the one before.
 */
export async function growLedger(
  url: string,
  { rooms, ledger }: { rooms: number; ledger: number },
  log: (line: string) => void,
): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(`set session_replication_role = replica; set statement_timeout = 0;
      set maintenance_work_mem = '1GB'; set work_mem = '64MB'`)
    const { rows: indexes } = await client.query<{ name: string; definition: string }>(
      `select indexname as name, replace(indexdef, ' ON ONLY ', ' ON ') as definition from pg_indexes
       where schemaname = 'public' and tablename = 'messages'`,
    )
    for (const { name } of indexes) await client.query(`drop index ${name}`)
    for (let ago = 0; ago < MONTHS; ago += 1) {
      await client.query(
        `select make_month_of_messages((date_trunc('month', now()) - make_interval(months => $1))::date, null)`,
        [ago],
      )
      await fillMonth(client, { ago, rooms, count: Math.ceil(ledger / MONTHS) })
      log(`  ${((ago + 1) * ledger) / MONTHS} messages`)
    }
    for (const { definition } of indexes) await client.query(definition)
    await client.query('vacuum (freeze, analyze) messages')
  } finally {
    await client.end()
  }
}

/** A message of this month is of the time until now. */
async function fillMonth(
  client: pg.Client,
  { ago, rooms, count }: { ago: number; rooms: number; count: number },
): Promise<void> {
  for (let done = 0; done < count; done += PART)
    await client.query(
      `insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at, received_at,
         seq, route, reason, wa_id, user_id, payload, contact)
       select ${ORG}, 'wamid.grown.' || $1::int || '.' || place, ${PHONE}, ${CUSTOMER}, ${ROOM}, 'in', 'text', at, at,
         place * 4096, 'active', 'the active chatroom', ${WA_ID}, ${USER_ID},
         json_build_object('from', ${WA_ID}, 'type', 'text', 'text', json_build_object('body', 'Is the flat still free?')),
         json_build_object('wa_id', ${WA_ID})
       from (
         select place, 1 + floor(random() * $2::int)::int as n, since + random() * (until - since) as at
         from generate_series($3::bigint, $3::bigint + $4::bigint - 1) place, lateral (
           select date_trunc('month', now()) - make_interval(months => $1::int) as since,
             least(now(), date_trunc('month', now()) - make_interval(months => $1::int - 1)) as until) month) p`,
      [ago, rooms, done, Math.min(PART, count - done)],
    )
}
