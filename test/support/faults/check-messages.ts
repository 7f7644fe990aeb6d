import pg from 'pg'
import type { LoadMessage } from './content.ts'
import type { Lab } from './lab.ts'
import { type Quantiles, quantiles } from './quantiles.ts'
import type { Report } from './report.ts'

export type MessageFigures = {
  /** Messages written, and those of them that were answered 200. */
  written: number
  acked: number
  lost: number
  doubled: number
  misplaced: number
  invented: number
  /** Milliseconds from the first 200 to the ledger, of all messages to numbers that were provisioned all the while. */
  waitedMs: Quantiles
}

type Row = {
  org_id: string
  wamid: string
  waba_phone_id: string
  customer_id: string | null
  chatroom_id: string | null
  type: string
  sent_at: Date
  route: string | null
  wa_id: string | null
  user_id: string | null
  text: string | null
  written_at: Date
  room_org: string | null
  room_customer: string | null
  room_phone: string | null
}

const PAGE = 5_000

/** I1, I2, I3, I6, 9: acknowledged messages are there once, as signed, with their own sender, number and org. */
export async function checkMessages(lab: Lab, report: Report): Promise<MessageFigures> {
  const { messages } = lab.meta.log
  const seen = new Set<string>()
  const customers = new Map<string, string>()
  const figures = { written: messages.size, acked: 0, lost: 0, doubled: 0, misplaced: 0, invented: 0 }
  const waits: number[] = []
  for await (const row of inboundRows(lab)) {
    const one = messages.get(row.wamid)
    if (seen.has(row.wamid)) {
      figures.doubled += 1
      report.add('a message is there once (I2)', row.wamid)
    }
    seen.add(row.wamid)
    if (one === undefined) {
      figures.invented += 1
      report.add('no message is there that nobody signed (I3)', row.wamid)
      continue
    }
    const wrong = misplacement(row, one, customers)
    if (wrong) {
      figures.misplaced += 1
      report.add('a message lands with its own sender, number and org (I6)', `${row.wamid}: ${wrong}`)
    }
    checkContent(row, one, report)
    if (one.ackedAt !== undefined && one.number.phoneId !== lab.cast.lateNumber.phoneId)
      waits.push(Math.max(0, row.written_at.getTime() - one.ackedAt))
  }
  const waiting = await wamidsInInbox(lab)
  for (const one of messages.values()) {
    if (!one.acked && !one.ghostAcked) continue
    figures.acked += 1
    if (seen.has(one.wamid)) continue
    if (waiting.has(one.wamid)) {
      report.add('nothing is stuck in the inbox (I10)', one.wamid)
    } else {
      figures.lost += 1
      report.add('what was answered 200 is there (I1)', one.wamid)
    }
  }
  return { ...figures, waitedMs: quantiles(waits) }
}

function misplacement(row: Row, one: LoadMessage, customers: Map<string, string>): string | undefined {
  const { orgId, phoneId } = one.number
  const { waId, userId } = one.person
  if (row.org_id !== orgId) return `org ${row.org_id} instead of ${orgId}`
  if (row.waba_phone_id !== phoneId) return `number ${row.waba_phone_id} instead of ${phoneId}`
  // The phone that a message hides may stand beside another message of the same delivery.
  const phoneFits = row.wa_id === waId || (one.hidden && row.wa_id === null)
  if (!phoneFits || row.user_id !== (userId ?? null)) return 'another sender'
  if (row.chatroom_id !== null && row.room_org === null) return `no chatroom ${row.chatroom_id}`
  const own =
    row.room_org === row.org_id &&
    row.room_customer === row.customer_id &&
    row.room_phone === row.waba_phone_id
  if (row.chatroom_id !== null && !own) return `a chatroom of ${row.room_org}, ${row.room_phone}`
  const name = `${row.org_id} ${waId}`
  const customer = row.customer_id ?? ''
  if ((customers.get(name) ?? customer) !== customer) return `two customers for ${name}`
  if ((customers.get(customer) ?? name) !== name)
    return `${name} is one customer with ${customers.get(customer)}`
  customers.set(name, customer).set(customer, name)
  return undefined
}

function checkContent(row: Row, one: LoadMessage, report: Report): void {
  const ghost = row.type === 'unsupported'
  if (ghost && one.acked) report.add('real content replaces its ghost (9)', row.wamid)
  if (ghost) return
  if (row.type !== one.type || row.text !== (one.text ?? null))
    report.add('a message says what was signed (I3)', `${row.wamid}: ${row.type}`)
  if (row.sent_at.getTime() !== one.at.getTime())
    report.add("a message has Meta's time (I8)", `${row.wamid}: ${row.sent_at.toISOString()}`)
}

/** By a cursor, so that rows which should not exist twice are both seen. */
async function* inboundRows({ databaseUrl }: Lab): AsyncGenerator<Row> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    await client.query('begin read only')
    await client.query(`declare inbound cursor for
      select m.org_id, m.wamid, m.waba_phone_id, m.customer_id, m.chatroom_id, m.type, m.sent_at, m.route, m.wa_id,
        m.user_id, m.payload -> 'text' ->> 'body' as text, m.lab_written_at as written_at, r.org_id as room_org, r.customer_id as room_customer,
        r.waba_phone_id as room_phone
      from messages m left join chatrooms r on r.id = m.chatroom_id where m.direction = 'in'`)
    for (;;) {
      const { rows } = await client.query<Row>(`fetch ${PAGE} from inbound`)
      if (rows.length === 0) break
      yield* rows
    }
  } finally {
    await client.end()
  }
}

async function wamidsInInbox({ db }: Lab): Promise<Set<string>> {
  const { rows } = await db.$client.query<{ body: Buffer }>(
    `select body from inbox where state <> 'dead' limit 5000`,
  )
  return new Set(rows.flatMap(({ body }) => body.toString().match(/wamid\.LOAD\d+\.\d+/g) ?? []))
}
