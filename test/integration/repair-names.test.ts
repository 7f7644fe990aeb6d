import { expect, it } from 'vitest'
import { inTransaction } from '../../src/db/transaction.ts'
import { repairNames } from '../../src/identity/repair-names.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { deliver, readMessage } from '../support/inbox.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { text, write } from '../support/people.ts'
import { message, post } from '../support/webhooks.ts'

/**
 * A million names take some minutes:
 * `REPAIR_NAMES=1000000 npx vitest run --project integration test/integration/repair-names.test.ts`
 */
const NAMES = Number(process.env.REPAIR_NAMES ?? 5_000)

const { db } = await createTestDatabase()

const query = async (sql: string, ...values: unknown[]) => (await db.$client.query(sql, values)).rows

/** A `wa_id` as a former version stored it; gives its customer, who is a new one if none is named. */
async function storeName(org: TestOrg, value: string, customerId?: string): Promise<string> {
  const [row] = await query(
    `with c as (insert into customers (org_id, id) select $1, gen_random_uuid() where $3::uuid is null returning id)
     insert into customer_aliases (org_id, kind, value, customer_id)
     select $1, 'wa_id', $2, coalesce($3::uuid, (select id from c)) returning customer_id`,
    org.id,
    value,
    customerId ?? null,
  )
  return row.customer_id
}

const waIdsOf = async (org: TestOrg) =>
  query(
    `select value, customer_id as id from customer_aliases where org_id = $1 and kind = 'wa_id' order by value`,
    org.id,
  )

it('a `wa_id` with a plus becomes its digits, however it is spaced, and keeps its age', async () => {
  const org = await createOrg(db)
  const id = await storeName(org, '+1 (555) 000-1111')
  await db.$client.query(`update customer_aliases set created_at = '2026-01-01' where org_id = $1`, [org.id])
  const odd = await storeName(org, '+not a phone')
  expect(await repairNames(db)).toBe(1)
  expect(await waIdsOf(org)).toEqual([
    { value: '+not a phone', id: odd },
    { value: '15550001111', id },
  ])
  const [{ created_at }] = await query('select created_at from customer_aliases where customer_id = $1', id)
  expect(created_at).toEqual(new Date('2026-01-01T00:00:00Z'))
  const [row] = await write(db, org, [text({ from: '15550001111' })])
  expect(row.customer_id).toBe(id)
})

it('its customer is merged into the one whom the digits lead to, with held messages', async () => {
  const org = await createOrg(db)
  const room = await createRoom(db, org)
  const [held] = await write(db, org, [text({ from_user_id: 'US.1' })])
  await storeName(org, '+15550001111', held.customer_id)
  expect(await repairNames(db)).toBe(1)
  expect(await waIdsOf(org)).toEqual([])
  expect(await readMessage(db, org.id, held.wamid)).toMatchObject({
    customer_id: room.customerId,
    chatroom_id: room.id,
  })
  expect(await eventsOfOrg(db, org.id, 'customer.%')).toMatchObject([
    { kind: 'customer.identity_conflict', reason: 'merged', customer_id: room.customerId },
  ])
})

it('the customer with contacts stays if only the other one has none, and both stay if both have some', async () => {
  const org = await createOrg(db)
  const room = await createRoom(db, org, { customer: '+15550002222' })
  await storeName(org, '+15550001111', room.customerId)
  const stranger = await storeName(org, '15550001111')
  const [ana, bob] = [await createRoom(db, org, { customer: '+15550003333' }), await createRoom(db, org)]
  await storeName(org, '+15550003333', ana.customerId)
  await storeName(org, '+1 5550003333', room.customerId)
  expect(bob.customerId).toBe(stranger)
  await repairNames(db)
  const events = await eventsOfOrg(db, org.id, 'customer.%')
  expect(events.map(({ reason }) => reason)).toEqual([
    'the phone has contacts of its own and stays',
    'the phone has contacts of its own and stays',
  ])
  expect(await waIdsOf(org)).toEqual([
    { value: '15550001111', id: stranger },
    { value: '15550003333', id: ana.customerId },
  ])
})

it('a repair that is ended goes on at the next call', async () => {
  const org = await createOrg(db)
  for (const n of [1, 2, 3]) await storeName(org, `+1555000000${n}`)
  expect(await repairNames(db, AbortSignal.abort())).toBe(0)
  expect(await repairNames(db)).toBe(3)
  expect(await repairNames(db)).toBe(0)
})

/** Names of an org: one in ten has a plus, and every second one of these belongs to somebody beside the digits. */
async function storeMany(org: TestOrg): Promise<void> {
  await inTransaction(db, async (tx) => {
    for (const sql of [
      `create temporary table many on commit drop as
         select n, 15550000000 + n as digits, gen_random_uuid() as id, gen_random_uuid() as other
         from generate_series(1, ${NAMES}) n`,
      `insert into customers (org_id, id) select '${org.id}', id from many
       union all select '${org.id}', other from many where n % 20 = 0`,
      `insert into customer_aliases (org_id, kind, value, customer_id)
       select '${org.id}', 'wa_id', case when n % 20 = 10 then '+' else '' end || digits, id from many
       union all select '${org.id}', 'wa_id', '+' || digits, other from many where n % 20 = 0`,
    ]) {
      await tx.$client.query({ text: sql, query_timeout: 600_000 } as never)
    }
  })
}

it(`the repair of ${NAMES} names leaves none out, while messages of the same people are routed`, async () => {
  const org = await createOrg(db)
  await db.$client.query(`set statement_timeout = 0`)
  await storeMany(org)
  const start = performance.now()
  let isDone = false
  const repairing = repairNames(db).finally(() => {
    isDone = true
  })
  const waits: number[] = []
  const wrote: { wamid: string; digits: number }[] = []
  for (let n = 10; !isDone || n < 200; n += 10) {
    const digits = 15550000000 + 1 + ((n * 7_919) % NAMES)
    const m = message({ from: String(digits), userId: `US.${digits}` })
    const before = performance.now()
    const { outcomes } = await deliver(db, post(org.phones[0]!, m))
    waits.push(performance.now() - before)
    expect(outcomes).toMatchObject([{ end: 'routed' }])
    wrote.push({ wamid: m.id, digits })
  }
  const repaired = await repairing
  const seconds = (performance.now() - start) / 1000
  const wait = Math.max(...waits).toFixed(0)
  process.stdout.write(
    `${repaired} names repaired in ${seconds.toFixed(1)} s; routing waited up to ${wait} ms\n`,
  )
  const [left] = await query(
    `select count(*)::int as n from customer_aliases where org_id = $1 and kind = 'wa_id' and value like '+%'`,
    org.id,
  )
  expect([repaired, left.n]).toEqual([Math.floor(NAMES / 10), 0])
  for (const { wamid, digits } of wrote) {
    const [{ ok }] = await query(
      `select m.customer_id = a.customer_id and c.merged_into is null as ok
       from messages m
       join customer_aliases a on a.org_id = m.org_id and a.kind = 'wa_id' and a.value = $3
       join customers c on c.org_id = a.org_id and c.id = a.customer_id
       where m.org_id = $1 and m.wamid = $2`,
      org.id,
      wamid,
      String(digits),
    )
    expect([digits, ok]).toEqual([digits, true])
  }
}, 1_200_000)
