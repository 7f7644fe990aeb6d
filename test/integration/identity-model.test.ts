import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { message, newWamid, post } from '../support/webhooks.ts'

/** 1,000 runs take some minutes: `MODEL_RUNS=1000 npx vitest run --project integration identity-model`. A failure
 * prints its seed, and `MODEL_SEED` replays it. */
const RUNS = Number(process.env.MODEL_RUNS ?? 30)
const SEED = process.env.MODEL_SEED
const MESSAGES = 50

/** How somebody's names show: in which messages the phone, and when they change. */
const person = fc.record({
  known: fc.boolean(),
  startsWithoutPhone: fc.boolean(),
  usernameFrom: fc.integer({ min: 0, max: MESSAGES }),
  renamedAt: fc.option(fc.integer({ min: 1, max: MESSAGES - 1 }), { nil: undefined }),
})
const act = fc.record({
  who: fc.nat(3),
  number: fc.nat(1),
  hidden: fc.boolean(),
  copies: fc.integer({ min: 1, max: 2 }),
})
const scenario = fc.record({
  people: fc.array(person, { minLength: 4, maxLength: 4 }),
  acts: fc.array(act, { minLength: MESSAGES, maxLength: MESSAGES }),
  shuffle: fc.array(fc.nat(), { minLength: MESSAGES * 2 + 8, maxLength: MESSAGES * 2 + 8 }),
  batch: fc.integer({ min: 1, max: 9 }),
})

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never
type Item = { who: number; number: number; wamid: string; names: string[]; make: () => object }

/** The deliveries of a scenario: what each message carries, as Meta would show it. */
function play({ people, acts }: Scenario): Item[] {
  const phoneOf = (who: number, renamed: boolean) => `1555${who}${renamed ? 2 : 1}00000`
  const idOf = (who: number, renamed: boolean) => `US.${who}${renamed ? 2 : 1}`
  const items: Item[] = []
  acts.forEach(({ who, number, hidden, copies }, time) => {
    const p = people[who]!
    const renamed = p.renamedAt !== undefined && time >= p.renamedAt
    // With a username, the first number still sees the phone, the second one does not.
    const noPhone = (time >= p.usernameFrom && (number === 1 || hidden)) || (p.startsWithoutPhone && time < 5)
    const [phone, userId] = [phoneOf(who, renamed), idOf(who, renamed)]
    const wamid = newWamid()
    const names = noPhone ? [userId] : [phone, userId]
    const make = () => message({ id: wamid, from: noPhone ? '' : phone, userId })
    for (let copy = 0; copy < copies; copy++) items.push({ who, number, wamid, names, make })
  })
  people.forEach((p, who) => {
    if (p.renamedAt === undefined) return
    const wamid = newWamid()
    const system = {
      type: 'user_changed_number',
      wa_id: phoneOf(who, true),
      user_id: idOf(who, true),
      previous_user_id: idOf(who, false),
    }
    const make = () => ({
      from: phoneOf(who, false),
      id: wamid,
      timestamp: '1790416832',
      type: 'system',
      system,
    })
    items.push({
      who,
      number: 0,
      wamid,
      names: [phoneOf(who, false), idOf(who, false), phoneOf(who, true), idOf(who, true)],
      make,
    })
  })
  return items
}

/** Which messages the names that were shown together prove to be of one person (union-find over names). */
function components(items: Item[]): Map<string, string> {
  const parent = new Map<string, string>()
  const root = (x: string): string => {
    const up = parent.get(x) ?? x
    return up === x ? x : root(up)
  }
  for (const { names } of items) for (const name of names) parent.set(root(name), root(names[0]!))
  return new Map(items.map((i) => [i.wamid, root(i.names[0]!)]))
}

it(`every message of one person reaches one customer and chatroom, in any order (${RUNS} runs of ${MESSAGES})`, async () => {
  const { db } = await createTestDatabase()
  await fc.assert(
    fc.asyncProperty(scenario, async (s) => check(db, s)),
    {
      numRuns: RUNS,
      ...(SEED && { seed: Number(SEED) }),
      verbose: 1,
      endOnFailure: true,
      interruptAfterTimeLimit: 1_200_000,
    },
  )
}, 1_500_000)

async function check(db: Db, s: Scenario): Promise<void> {
  const org = await createOrg(db, {}, { phones: 2 })
  const rooms = new Map<string, string>()
  for (const [who, p] of s.people.entries()) {
    if (!p.known) continue
    for (const [number, phone] of org.phones.entries()) {
      rooms.set(`${who} ${number}`, (await createRoom(db, org, { phone, customer: `+1555${who}100000` })).id)
    }
  }
  const items = play(s)
  const order = items.map((item, i) => ({ item, key: s.shuffle[i] ?? 0 })).sort((a, b) => a.key - b.key)
  for (let i = 0; i < order.length; i += s.batch) {
    const batch = order.slice(i, i + s.batch).map(({ item }) => post(org.phones[item.number]!, item.make()))
    await deliver(db, ...batch)
  }
  const { rows } = await db.$client.query<{
    wamid: string
    customer_id: string
    chatroom_id: string | null
    type: string
  }>('select wamid, customer_id, chatroom_id, type from messages where org_id = $1', [org.id])
  const ledger = new Map(rows.map((r) => [r.wamid, r]))
  expect(ledger.size).toBe(new Set(items.map((i) => i.wamid)).size)
  const byComponent = components(items)
  const customers = new Map<string, string>()
  for (const { wamid, who, number } of items) {
    const row = ledger.get(wamid)!
    const component = byComponent.get(wamid)!
    expect(customers.get(component) ?? row.customer_id).toBe(row.customer_id)
    customers.set(component, row.customer_id)
    const linked =
      byComponent.get(wamid) ===
      byComponent.get(items.find((i) => i.names.includes(`1555${who}100000`))?.wamid ?? '')
    const room = rooms.get(`${who} ${number}`)
    if (room && linked && row.type !== 'system') expect([who, row.chatroom_id]).toEqual([who, room])
  }
  expect(new Set(customers.values()).size).toBe(customers.size)
}
