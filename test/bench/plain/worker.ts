import { Worker } from 'bullmq'
import pg from 'pg'
import { type PlainJob, type PlainMessage, type PlainStatus, QUEUE, redis } from './queue.ts'

/**
 * The plain design's worker: for each message one transaction of single, prepared statements. The rules are Usher's
 * (active, else deactivated, else expired, else held) without learning names, audit and lifecycle.
 */
const concurrency = Number(process.env.CONCURRENCY)
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: concurrency })
const orgs = new Map<string, string>()

async function orgOf(phoneId: string): Promise<string> {
  const known = orgs.get(phoneId)
  if (known !== undefined) return known
  const { rows } = await pool.query(`select org_id from meta_objects where kind = 'phone' and id = $1`, [
    phoneId,
  ])
  const org = String(rows[0].org_id)
  orgs.set(phoneId, org)
  return org
}

async function inTransaction(work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await work(client)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

const run = async (client: pg.PoolClient, name: string, text: string, values: unknown[]) =>
  (await client.query({ name, text, values })).rows[0]

async function route(client: pg.PoolClient, org: string, job: PlainJob, message: PlainMessage, seq: number) {
  const seen = await run(client, 'seen', 'select 1 from messages where org_id = $1 and wamid = $2', [
    org,
    message.id,
  ])
  if (seen) return
  const customer = await run(
    client,
    'customer',
    `select customer_id as id from customer_aliases where org_id = $1 and kind = 'wa_id' and value = $2`,
    [org, message.from],
  )
  const room =
    customer &&
    (await run(
      client,
      'room',
      `select id, state from chatrooms where org_id = $1 and customer_id = $2 and waba_phone_id = $3
       order by expired_at desc nulls first, deactivated_at desc nulls first, created_at desc, id desc
       limit 1 for update`,
      [org, customer.id, job.phoneId],
    ))
  const sentAt = new Date(Number(message.timestamp) * 1000)
  await insert(client, { org, job, message, seq, sentAt, customerId: customer?.id, room })
  if (!room) return
  await run(
    client,
    'room-wakes',
    `update chatrooms set last_inbound_at = greatest(last_inbound_at, $3),
       activated_at = case when $4 then now() else activated_at end,
       deactivated_at = case when $4 then null else deactivated_at end,
       deactivation_reason = case when $4 then null else deactivation_reason end
     where org_id = $1 and id = $2`,
    [org, room.id, sentAt, room.state === 'deactivated'],
  )
}

type Row = {
  org: string
  job: PlainJob
  message: PlainMessage
  seq: number
  sentAt: Date
  customerId: string | undefined
  room: { id: string; state: string } | undefined
}

const ROUTES: Record<string, string> = { active: 'active', deactivated: 'reactivated', expired: 'expired' }

async function insert(client: pg.PoolClient, { org, job, message, seq, sentAt, customerId, room }: Row) {
  const values = [
    org,
    message.id,
    job.phoneId,
    customerId,
    room?.id,
    message.type,
    sentAt,
    new Date(job.receivedAt),
  ]
  await run(
    client,
    'insert',
    `insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at, received_at,
       seq, route, reason, wa_id, user_id, payload, contact)
     values ($1, $2, $3, $4, $5, 'in', $6, $7, $8, $9, $10, 'plain', $11, $12, $13, $14)`,
    [
      ...values,
      ...[seq, room ? ROUTES[room.state] : 'held', message.from, message.from_user_id],
      ...[JSON.stringify(message), JSON.stringify(job.contact)],
    ],
  )
}

const RANKS = `case status when 'sent' then 1 when 'delivered' then 2 when 'read' then 3 else 0 end`
const RANK: Record<string, number> = { sent: 1, delivered: 2, read: 3 }

/** One statement, so a transaction of its own. */
async function applyStatus(org: string, { id, status, timestamp }: PlainStatus): Promise<void> {
  await pool.query({
    name: 'status',
    text: `update messages set status = $3, status_at = $4
      where org_id = $1 and wamid = $2 and direction = 'out' and ${RANKS} < $5`,
    values: [org, id, status, new Date(Number(timestamp) * 1000), RANK[status] ?? 0],
  })
}

const worker = new Worker<PlainJob>(
  QUEUE,
  async ({ data, id }) => {
    // The org is read before a connection is taken: if all were taken, this query would wait for one forever.
    const org = await orgOf(data.phoneId)
    if ('message' in data) await inTransaction((tx) => route(tx, org, data, data.message, Number(id)))
    else await applyStatus(org, data.status)
  },
  { connection: redis(), concurrency },
)
worker.on('error', (error) => process.stderr.write(`${error.stack}\n`))
await worker.waitUntilReady()
process.stdout.write(`${JSON.stringify({ msg: 'up' })}\n`)
process.once('SIGTERM', () => process.exit(0))
