import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import {
  ACTS,
  componentsOf,
  type Item,
  isSilent,
  NOBODY,
  OWN_NUMBERS,
  orderOf,
  PORTFOLIOS,
  phoneOf,
  playWorld,
  type Scenario,
  scenario,
} from '../support/identity-world.ts'
import { deliver } from '../support/inbox.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { bytes, change, delivery } from '../support/webhooks.ts'

/** 1,000 runs take some minutes: `MODEL_RUNS=1000 npx vitest run --project integration identity-model`. A failure
 * prints its seed and path, and `MODEL_SEED` and `MODEL_PATH` replay it. */
const RUNS = Number(process.env.MODEL_RUNS ?? 30)
const SEED = process.env.MODEL_SEED
const PATH = process.env.MODEL_PATH

it(`every message of one person reaches one customer and chatroom, in any order (${RUNS} runs of ${ACTS})`, async () => {
  const { db } = await createTestDatabase()
  await fc.assert(
    fc.asyncProperty(scenario, async (s) => check(db, s)),
    {
      numRuns: RUNS,
      ...(SEED && { seed: Number(SEED) }),
      ...(PATH && { path: PATH }),
      verbose: 1,
      endOnFailure: true,
      interruptAfterTimeLimit: 3_000_000,
    },
  )
}, 3_600_000)

type Row = { wamid: string; customer_id: string | null; chatroom_id: string | null; type: string }
type Outcome = { items: Item[]; ledger: Map<string, Row>; components: Map<string, string> }

async function check(db: Db, s: Scenario): Promise<void> {
  const org = await createOrg(db, {}, { phones: PORTFOLIOS.length, wabas: PORTFOLIOS })
  await nameNumbers(db, org)
  const rooms = await createRooms(db, org, s)
  const items = playWorld(s)
  const order = orderOf(s, items)
  for (let i = 0; i < order.length; i += s.batch) {
    await deliver(db, ...order.slice(i, i + s.batch).map((item) => bodyOf(org, item)))
  }
  const { rows } = await db.$client.query<Row>(
    'select wamid, customer_id, chatroom_id, type from messages where org_id = $1',
    [org.id],
  )
  const ledger = new Map(rows.map((row) => [row.wamid, row]))
  expect(ledger.size).toBe(new Set(items.map((item) => item.wamid)).size)
  const outcome = { items, ledger, components: componentsOf(items) }
  checkCustomers(outcome)
  checkRooms(outcome, rooms)
  await checkNewIdentities(db, org, s, outcome)
  await checkSightings(db, org, items)
}

async function nameNumbers(db: Db, org: TestOrg): Promise<void> {
  await db.$client.query(
    `update waba_phones p set display_phone_number = n.display
     from unnest($2::text[], $3::text[]) as n(id, display) where p.org_id = $1 and p.id = n.id`,
    [org.id, org.phones, OWN_NUMBERS.map((number) => `+${number}`)],
  )
}

/** The chatrooms of the people whom the CRM knows, by person and number. */
async function createRooms(db: Db, org: TestOrg, { people }: Scenario): Promise<Map<string, string>> {
  const rooms = new Map<string, string>()
  for (const [who, p] of people.entries()) {
    if (!p.known) continue
    for (const [number, phone] of org.phones.entries()) {
      const room = await createRoom(db, org, { phone, customer: `+${phoneOf(who)}` })
      rooms.set(`${who} ${number}`, room.id)
    }
  }
  return rooms
}

function bodyOf(org: TestOrg, { number, message, contacts }: Item): Buffer {
  const content = { messages: [message], ...(contacts && { contacts }) }
  return bytes(delivery([change(org.phones[number] ?? '', content)]))
}

/** What is proven to be one person is one customer; two people are never one. */
function checkCustomers({ items, ledger, components }: Outcome): void {
  const customers = new Map<string, string>()
  const people = new Map<string, string>()
  for (const { wamid, who } of items) {
    if (who === NOBODY) {
      expect(ledger.get(wamid)).toMatchObject({ customer_id: null, chatroom_id: null })
      continue
    }
    const customer = ledger.get(wamid)?.customer_id ?? ''
    const component = components.get(wamid) ?? ''
    expect(customers.get(component) ?? customer).toBe(customer)
    customers.set(component, customer)
    expect(people.get(customer) ?? who).toBe(who)
    people.set(customer, who)
  }
  expect(new Set(customers.values()).size).toBe(customers.size)
}

/** A message of somebody whom the CRM knows, and who is proven to be that contact, is in the contact's chatroom. */
function checkRooms({ items, ledger, components }: Outcome, rooms: Map<string, string>): void {
  for (const { wamid, who, number } of items) {
    const room = rooms.get(`${who} ${number}`)
    const row = ledger.get(wamid)
    if (!room || row?.type === 'system') continue
    const first = items.find((item) => item.shows.includes(`${phoneOf(Number(who))} of ${who}`))
    const isLinked = first !== undefined && components.get(wamid) === components.get(first.wamid)
    if (isLinked) expect([who, row?.chatroom_id]).toEqual([who, room])
  }
}

/** A phone that got into other hands silently is noticed; people who have theirs are not accused. */
async function checkNewIdentities(db: Db, org: TestOrg, s: Scenario, { items, ledger }: Outcome) {
  const events = await eventsOfOrg(db, org.id, 'customer.new_identity')
  const accused = new Set<string | null | undefined>(events.map((event) => event.customer_id))
  for (const [who, p] of s.people.entries()) {
    const own = items.filter((item) => item.who === `${who}`)
    const customers = own.map(({ wamid }) => ledger.get(wamid)?.customer_id)
    if (!isSilent(p) && (p.changes.length === 0 || !s.shuffle)) {
      expect(customers.filter((customer) => accused.has(customer))).toEqual([])
    }
    if (!isSilent(p) || p.hasParentId || own.some(({ message }) => message.type === 'contacts')) continue
    const withPhone = own.filter(({ message }) => message.from)
    for (const portfolio of new Set(PORTFOLIOS)) {
      const ids = withPhone
        .filter(({ number }) => PORTFOLIOS[number] === portfolio)
        .flatMap(({ userIds }) => userIds)
      if (new Set(ids).size > 1) expect(customers.some((customer) => accused.has(customer))).toBe(true)
    }
  }
}

/** Every BSUID is remembered with the WABAs at which it was seen, and with no other. */
async function checkSightings(db: Db, org: TestOrg, items: Item[]): Promise<void> {
  const { rows } = await db.$client.query<{ value: string; waba_ids: string[] }>(
    `select value, waba_ids from customer_aliases where org_id = $1 and kind = 'bsuid'`,
    [org.id],
  )
  const seen = new Map<string, Set<string>>()
  for (const { number, userIds } of items) {
    for (const id of userIds)
      seen.set(id, (seen.get(id) ?? new Set()).add(org.wabaIds[PORTFOLIOS[number] ?? 0] ?? ''))
  }
  for (const { value, waba_ids } of rows)
    expect([value, waba_ids]).toEqual([value, [...(seen.get(value) ?? [])]])
}
