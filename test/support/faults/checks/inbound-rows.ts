import pg from 'pg'
import type { Evidence } from './evidence.ts'

/** A message of a customer, or one that the Business App sent, as stored, and the chatroom it points to, in whichever org that is. */
export type InboundRow = {
  org_id: string
  wamid: string
  waba_phone_id: string
  customer_id: string | null
  chatroom_id: string | null
  direction: 'in' | 'echo'
  route: string | null
  type: string
  sent_at: Date
  wa_id: string | null
  user_id: string | null
  payload: { text?: { body?: string } }
  room_org: string | null
  room_customer: string | null
  room_phone: string | null
}

const PAGE = 500

const STATEMENT = `
  select m.org_id, m.wamid, m.waba_phone_id, m.customer_id, m.chatroom_id, m.direction,
    m.route, m.type, m.sent_at, m.wa_id, m.user_id,
    m.payload, r.org_id as room_org, r.customer_id as room_customer, r.waba_phone_id as room_phone
  from messages m left join chatrooms r on r.id = m.chatroom_id where m.direction <> 'out'`

/**
 * All messages that Usher did not send, one after another. A cursor reads them rather than pages by key: where the primary key is
 * broken, both of two rows with the same key must be seen.
 */
export async function* inboundRows({
  databaseUrl,
}: Pick<Evidence, 'databaseUrl'>): AsyncGenerator<InboundRow> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    await client.query('begin read only')
    await client.query(`declare inbound cursor for ${STATEMENT}`)
    for (;;) {
      const { rows } = await client.query<InboundRow>(`fetch ${PAGE} from inbound`)
      if (rows.length === 0) return
      yield* rows
    }
  } finally {
    await client.end()
  }
}
