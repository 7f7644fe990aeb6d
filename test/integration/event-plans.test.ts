import { beforeAll, describe, expect, it } from 'vitest'
import { firstCursor } from '../../src/event-feed/cursor.ts'
import { keepPartitions } from '../../src/event-feed/keep-partitions.ts'
import { listEvents } from '../../src/event-feed/list-events.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { untilReadable } from '../support/event-log.ts'
import { recordEverything, type Statement } from '../support/statements.ts'
import { ago } from '../support/time.ts'

const DAYS = 30
const EVENTS_OF_A_DAY = 2_000
/** A page of 100 events reads their blocks, and the way to the first event in each partition. */
const MAX_BLOCKS = 600

/** A log of 30 days, of which PostgreSQL has no statistics. */
async function load({ pool }: TestDatabase): Promise<void> {
  await pool.query(
    `insert into event_log (org_id, position, at, type)
     select case when n % 2 = 0 then 'org' else 'other' end, n / 100, now() - ($1 - n / $2) * interval '1 day', 'contact.updated'
     from generate_series(1, $1::int * $2::int - 1) n`,
    [DAYS, EVENTS_OF_A_DAY],
  )
}

describe.each(['empty', 'loaded'])('on %s partitions', (fill) => {
  let database: TestDatabase

  beforeAll(async () => {
    database = await createTestDatabase()
    for (let day = DAYS; day > 0; day -= 7) await keepPartitions(database.db, ago(day), 365)
    if (fill === 'loaded') await load(database)
    await untilReadable(database.db)
  })

  /** What a page costs: blocks, and the scans of partitions that were run. */
  async function measure(position: number, at: Date, types?: 'message.sent'[]) {
    const { db, pool } = database
    const after = { ...firstCursor('org'), position: String(position), at }
    const request = { orgId: 'org', after, limit: 100, waitSeconds: 0, includeContent: true }
    const statements = await recordEverything(async () => {
      await listEvents(db, { ...request, types })
    })
    const page = statements.find(({ name }) => name === 'read-events') as Statement
    const { rows } = await pool.query(`explain (analyze, buffers, format json) ${page.text}`, page.values)
    const { Plan } = rows[0]['QUERY PLAN'][0]
    const scans: string[] = []
    const walk = (plan: { [key: string]: unknown }) => {
      const relation = String(plan['Relation Name'] ?? '')
      if (relation.startsWith('event_log') && Number(plan['Actual Loops']) > 0)
        scans.push(`${plan['Node Type']}`)
      for (const child of (plan.Plans ?? []) as { [key: string]: unknown }[]) walk(child)
    }
    walk(Plan)
    return { blocks: Plan['Shared Hit Blocks'] + Plan['Shared Read Blocks'], scans }
  }

  it('a page is read by index, from the oldest event on and from the middle', async () => {
    for (const [position, days] of [
      [0, DAYS],
      [(DAYS * EVENTS_OF_A_DAY) / 200, DAYS / 2],
    ] as const) {
      const { blocks, scans } = await measure(position, position === 0 ? new Date(0) : ago(days))
      expect(scans.filter((scan) => !scan.startsWith('Index'))).toEqual([])
      expect(blocks).toBeLessThan(MAX_BLOCKS)
    }
  })

  it('the end of the log is read without its older partitions', async () => {
    const { blocks, scans } = await measure((DAYS * EVENTS_OF_A_DAY) / 100, new Date())
    expect(blocks).toBeLessThan(100)
    expect(scans.length).toBeLessThanOrEqual(12)
  })

  it('a type that is rare is looked for in a bounded part of the log', async () => {
    const { blocks } = await measure(0, new Date(0), ['message.sent'])
    expect(blocks).toBeLessThan(5_000)
  })
})
