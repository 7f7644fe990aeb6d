import { describe, expect, it } from 'vitest'
import { isTransient } from '../../src/db/pg-errors.ts'
import { run } from '../../src/db/statement.ts'
import { keepAccountEvents } from '../../src/routing/account-events.ts'
import { routeDeliveries } from '../../src/routing/route-deliveries.ts'
import { startTestApi } from '../support/api.ts'
import { besideLocks } from '../support/beside-locks.ts'
import { collidingPeople } from '../support/colliding-people.ts'
import { createTestDatabase } from '../support/database.ts'
import { countDeadlocks } from '../support/deadlocks.ts'
import { seededRandom } from '../support/faults/random.ts'
import { SEED } from '../support/figures.ts'
import { deliver, store } from '../support/inbox.ts'
import { createOrg, createRoom, provisionOrg, type TestOrg } from '../support/org.ts'
import { eventually, SLOWNESS } from '../support/patience.ts'
import { message, post } from '../support/webhooks.ts'

/** By hand: `LOCK_SECONDS=120 npx vitest run --project integration lock-order`. */
const SECONDS = Number(process.env.LOCK_SECONDS ?? 4 * SLOWNESS)
const ROUTERS = 4
const CALLERS = 2
const PEOPLE = 24

const { db, pool, url } = await createTestDatabase()
const api = await startTestApi(db)
const random = seededRandom(SEED)

const people = collidingPeople(random, PEOPLE)

it('batches with number changes and merges, and calls of the API beside them, never deadlock', async () => {
  const org = await createOrg(db)
  const end = performance.now() + SECONDS * 1_000
  const statuses = new Map<string, number>()
  const waiting: number[] = []
  let routed = 0

  const route = async (ids: number[]) => {
    try {
      routed += (await routeDeliveries(db, ids, (error) => expect.fail(String(error)))).outcomes.length
    } catch (error) {
      if (!isTransient(error)) throw error
      waiting.push(...ids)
    }
  }
  const router = async () => {
    while (performance.now() < end) {
      const bodies = Array.from({ length: random.int(1, 8) }, () =>
        post(org.phones[0]!, ...Array.from({ length: random.int(1, 4) }, people.write)),
      )
      await route([...waiting.splice(0), ...(await store(db, ...bodies))])
    }
  }
  const call = async (method: string, path: string, body?: unknown) => {
    const reply = await api.call(method, path, { body })
    statuses.set(`${reply.status}`, (statuses.get(`${reply.status}`) ?? 0) + 1)
    return reply.body
  }
  const caller = async () => {
    for (let n = 0; performance.now() < end; n += 1) {
      const phone = people.phone()
      const contact = {
        crm_id: `crm-${phone}-${n}-${random.int(0, 1e9)}`,
        phone_number: { rawInput: `+${phone}` },
      }
      const { id } = await call('POST', `/v2/org/${org.id}/contact`, {
        ...contact,
        opt_in_date: 1_790_000_000,
      })
      const details = { assign_mode: 'USER', user_id: 'ann' }
      await call('POST', `/v3/org/${org.id}/lead/chatroom`, {
        lead_id: id,
        assign_details: details,
        force_deactivate: true,
      })
      await call('PUT', `/v1/orgs/${org.id}/contact/${id}`, { crm_id: `${contact.crm_id}-b` })
    }
  }
  await Promise.all([...Array.from({ length: ROUTERS }, router), ...Array.from({ length: CALLERS }, caller)])
  await eventually(async () => {
    await route(waiting.splice(0))
    return waiting.length === 0
  })
  expect(routed).toBeGreaterThan(0)
  expect([...statuses.keys()].filter((status) => status.startsWith('5'))).toEqual([])
  const merged = await pool.query('select from customers where org_id = $1 and merged_into is not null', [
    org.id,
  ])
  expect(merged.rowCount).toBeGreaterThan(0)
  const deadlocks = await countDeadlocks(pool)
  process.stdout.write(
    `${SECONDS} s: ${routed} deliveries, ${merged.rowCount} merges, ${JSON.stringify([...statuses])}, deadlocks ${deadlocks}\n`,
  )
  expect(deadlocks).toBe(0)
})

it('batches that keep the same account events insert them in one order', async () => {
  const org = await createOrg(db)
  const common = {
    orgId: org.id,
    phoneId: undefined,
    wabaId: org.wabaId,
    field: 'account_update',
    receivedAt: new Date(),
  }
  const eventOf = (digest: string) => ({ ...common, digest: Buffer.from(digest), payload: '{}' })
  const lock = `insert into account_events (org_id, digest, waba_id, field, received_at, payload)
    values ('${org.id}', convert_to($1, 'utf8'), 'w', 'account_update', now(), '{}')`
  const work = () => run(db, keepAccountEvents([eventOf('last'), eventOf('first')]))
  await besideLocks({ pool, url, lock }, ['first', 'last'], work)
})

describe('customers are locked in one order', () => {
  type Customer = { customerId: string; from: string }

  /** Three customers with chatrooms, sorted by id, so in the order of their locks. */
  async function threeCustomers(org: TestOrg): Promise<[Customer, Customer, Customer]> {
    const phones = [1, 2, 3].map(() => `1555200${random.int(1000, 9999)}`)
    const rooms = await Promise.all(phones.map((from) => createRoom(db, org, { customer: `+${from}` })))
    const customers = rooms.map(({ customerId }, i) => ({ customerId, from: phones[i]! }))
    // Their names are known, so that they bring no news.
    await deliver(db, post(org.phones[0]!, ...customers.map(({ from }) => message({ from }))))
    const [a, b, c] = customers.sort((x, y) => (x.customerId < y.customerId ? -1 : 1))
    return [a!, b!, c!]
  }

  const lock = 'select from customers where id = $1 for update'
  const beside = <T>([first, , last]: [Customer, Customer, Customer], work: () => Promise<T>) =>
    besideLocks({ pool, url, lock }, [first.customerId, last.customerId], work)

  const route = (...bodies: Buffer[]) => deliver(db, ...bodies)

  it('by a batch in which a BSUID is found to be of another customer', async () => {
    const org = await createOrg(db)
    const customers = await threeCustomers(org)
    const [a, b, c] = customers
    const id = `US.${c.from}`
    await deliver(db, post(org.phones[0]!, message({ from: c.from, userId: id })))
    const batch = post(org.phones[0]!, message({ from: a.from }), message({ from: b.from, userId: id }))
    expect((await beside(customers, () => route(batch))).outcomes).toMatchObject([{ end: 'routed' }])
  })

  it('by a batch that brings a new name', async () => {
    const org = await createOrg(db)
    const customers = await threeCustomers(org)
    const [a, , c] = customers
    const batch = post(
      org.phones[0]!,
      message({ from: a.from }),
      message({ from: c.from, userId: `US.${c.from}` }),
    )
    expect((await beside(customers, () => route(batch))).outcomes).toMatchObject([{ end: 'routed' }])
  })

  it('by a provisioning with affiliates', async () => {
    const org = await createOrg(db)
    const customers = await threeCustomers(org)
    const rows = await pool.query(
      'select c.crm_id, c.phone, c.customer_id from contacts c where org_id = $1',
      [org.id],
    )
    const of = ({ customerId }: Customer) => rows.rows.find((row) => row.customer_id === customerId)
    const affiliates = [customers[2], customers[0]].map((customer) => {
      const { crm_id, phone } = of(customer)
      return { crm_id, phone, remote_phone_id: org.phones[0] }
    })
    const phones = [{ id: org.phones[0], display_phone_number: '+1' }]
    const wabas = [{ id: org.wabaId, name: 'w', phones }]
    await beside(customers, () => provisionOrg(db, { id: org.id, wabas, affiliates }))
  })
})
