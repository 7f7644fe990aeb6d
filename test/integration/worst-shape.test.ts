import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { timelineMessages } from '../../src/console/customer/timeline.ts'
import { listHeld } from '../../src/console/stuck/held-list.ts'
import type { Statement } from '../../src/db/statement.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { mergeCustomer } from '../../src/identity/merge-customer.ts'
import { attachHeldMessages } from '../../src/messages/attach-held.ts'
import { heldMessages } from '../../src/messages/held-messages.ts'
import { moveOtherMessages, readRoomsOfHeld } from '../../src/orgs/merge-rows.ts'
import { createTestDatabase } from '../support/database.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { type Statement as Recorded, recordEverything } from '../support/statements.ts'

/**
 * Messages of one org that are in no chatroom: held ones, groups and imports, a third each. By hand, with the statements'
 * times: `PLAN_ROWS=8000000 npx vitest run --project integration worst-shape`.
 */
const ROWS = Number(process.env.PLAN_ROWS ?? 30_000)
/** What a statement about one customer or one page may read, however many rows the table has. */
const MAX_ROWS = 300
const MAX_BLOCKS = 1_000
const PART = 300_000
/** Millions of rows take minutes to load. */
const LOAD_MS = 3_600_000

const { db, pool } = await createTestDatabase()
let org: TestOrg
let roomId: string
let someone: string
const another = randomUUID()

const NEWEST = { room: undefined, before: undefined, limit: 31 }

type Node = {
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  'Shared Hit Blocks': number
  'Shared Read Blocks': number
  Plans?: Node[]
}

/** The most rows that a step of the plan looks at, and the blocks that the whole statement reads. The work is undone. */
async function measure({
  name = '',
  text,
  values,
}: Pick<Statement<unknown> | Recorded, 'name' | 'text' | 'values'>) {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const { rows } = await client.query(`explain (analyze, buffers, format json) ${text}`, values)
    const [{ Plan: plan, 'Execution Time': ms }] = rows[0]['QUERY PLAN']
    if (process.env.PLAN_ROWS) process.stdout.write(`${name}: ${ms} ms\n`)
    return { rows: Math.max(...seenBy(plan)), blocks: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'] }
  } finally {
    await client.query('rollback')
    client.release()
  }
}

function seenBy(node: Node): number[] {
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  return [(node['Actual Rows'] + removed) * node['Actual Loops'], ...(node.Plans ?? []).flatMap(seenBy)]
}

async function recorded(work: () => Promise<unknown>): Promise<Recorded[]> {
  return recordEverything(async () => void (await work()))
}

/**
 * Fills the ledger. Its indexes are dropped before and built at the end: with them, each part of 300,000 rows takes longer
 * than the one before, because their pages no longer fit the server's memory.
 */
async function fill(count: number): Promise<void> {
  const { rows: indexes } = await pool.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes
     where schemaname = 'public' and tablename = 'messages' and indexname <> 'messages_pkey'`,
  )
  for (const { name } of indexes) await pool.query(`drop index ${name}`)
  for (let loaded = 0; loaded < count; loaded += PART) await load(loaded, Math.min(PART, count - loaded))
  for (const { definition } of indexes) {
    await inTransaction(db, async (tx) => {
      await tx.$client.query(`set local maintenance_work_mem = '512MB'; set local statement_timeout = 0`)
      // A partitioned index is defined for its own table only.
      const text = definition.replace(' ON ONLY ', ' ON ')
      await tx.$client.query({ text, query_timeout: LOAD_MS } as pg.QueryConfig)
    })
  }
}

/** Adds so many messages in no chatroom, behind those that were loaded before. Ids rise, as those of Usher do. */
async function load(from: number, count: number): Promise<void> {
  await inTransaction(db, async (tx) => {
    // Triggers and foreign keys take most of the time, and plans do not depend on them.
    await tx.$client.query('set local session_replication_role = replica')
    await tx.$client.query(
      `with c as (
         insert into customers (org_id, id)
         select $1, lpad(to_hex(n), 32, '0')::uuid from generate_series($4::int, $4::int + $2::int / 3 - 1) n returning id)
       insert into messages (org_id, wamid, waba_phone_id, customer_id, direction, type, sent_at, received_at, seq,
         route, reason, payload)
       select $1, 'w' || c.id || k.kind, $3, case when k.kind <> 'group' then c.id end,
         'in', 'text', now() - random() * interval '300 days', now(), (random() * 1e12)::bigint,
         case when k.kind = 'held' then 'held' end, 'x', '{}'
       from c, (values ('group'), ('held'), ('import')) k(kind)`,
      [org.id, count, org.phones[0], from / 3],
    )
  })
}

describe('in an org with very many messages in no chatroom', () => {
  beforeAll(async () => {
    org = await createOrg(db, {}, { phones: 2 })
    await fill(ROWS)
    const room = await createRoom(db, org, { phone: org.phones[1]!, customer: '+15550001111' })
    roomId = room.id
    someone = room.customerId
    await pool.query('insert into customers (org_id, id) values ($1, $2)', [org.id, another])
    for (const [id, count] of [
      [someone, 3],
      [another, 2],
    ] as const) {
      await pool.query(
        `insert into messages (org_id, wamid, waba_phone_id, customer_id, direction, type, sent_at, received_at, seq,
           route, reason, payload)
         select $1, $2 || n, $3, $2::uuid, 'in', 'text', now(), now(), n, 'held', 'x', '{}' from generate_series(1, $4) n`,
        [org.id, id, org.phones[1], count],
      )
    }
    await pool.query('analyze messages')
  }, LOAD_MS)

  const phoneId = () => org.phones[1]!

  it.each<[string, () => Pick<Statement<unknown>, 'name' | 'text' | 'values'>[]]>([
    ['a merge of two customers', () => mergeCustomer(org.id, { from: someone, into: another })],
    [
      'a new chatroom',
      () => [attachHeldMessages([{ orgId: org.id, id: roomId, customerId: someone, phoneId: phoneId() }])],
    ],
    [
      'the messages of a number that joins another',
      () => [moveOtherMessages({ orgId: org.id, phoneId: org.phones[0]!, otherId: phoneId() })],
    ],
    [
      'the chatrooms of customers with held messages',
      () => [readRoomsOfHeld({ orgId: org.id, phoneId: phoneId(), otherId: 'x' }, [someone])],
    ],
  ])('%s costs what it would in a small one', async (_, statements) => {
    for (const statement of statements()) {
      const { rows, blocks } = await measure(statement)
      expect([statement.name, rows <= MAX_ROWS, blocks <= MAX_BLOCKS, rows, blocks]).toEqual([
        statement.name,
        true,
        true,
        rows,
        blocks,
      ])
    }
  })

  it.each<[string, () => Promise<unknown>]>([
    [
      'the first page of held messages',
      () => heldMessages(db, { orgId: org.id, before: undefined, limit: 50 }),
    ],
    ['the list of held messages in the console', () => listHeld(db, [org.id], { filter: {}, size: 50 })],
    [
      'the timeline of a customer in the console',
      () => timelineMessages(db, { ...NEWEST, orgId: org.id, customerId: someone }, true),
    ],
  ])('%s costs what it would in a small one', async (_, work) => {
    const [statement] = await recorded(work)
    const { rows, blocks } = await measure(statement!)
    expect([statement!.name, rows <= MAX_ROWS, blocks <= MAX_BLOCKS, rows, blocks]).toEqual([
      statement!.name,
      true,
      true,
      rows,
      blocks,
    ])
  })
})
