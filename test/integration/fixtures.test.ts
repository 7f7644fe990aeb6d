import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/inbox/end-deliveries.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { createOrgs, createRooms, type TestOrg, type TestRoom } from '../support/org.ts'
import { anchorsOf } from '../support/repository.ts'
import { ago } from '../support/time.ts'

/**
 * Every shape of Meta's webhooks (docs/meta.md): `<shape>.json` is a whole POST body, `<shape>.expected.json` says what
 * must become of it. Placeholders: {{phone}} and {{waba}} of the org, {{run}} makes ids unique, {{now}} is a minute
 * ago. The customers 15550001111, ...2222 and ...3333 have one chatroom each: active, deactivated and expired (the org
 * has an auto-reply). No other customer has a chatroom.
 */
const FOLDER = new URL('../fixtures/webhooks/', import.meta.url)

type RoomName = 'active' | 'deactivated' | 'expired'
type Expectation = {
  /** The rule, as a sentence. */
  why: string
  /** The section of our documents that states it. */
  source: string
  end: Outcome['end']
  /** What a parked delivery waits for. */
  waits_for?: string
  /** Why a delivery is dead. */
  problems?: string[]
  messages: {
    wamid: string
    type: string
    direction: string
    route: string | null
    chatroom: RoomName | null
  }[]
  account_events: string[]
  /** The auto-replies queued. */
  replies: number
  /** Outgoing messages that the body refers to, and their status afterwards; null: none yet. */
  statuses?: Record<string, string | null>
}

const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.json'))
const expectations = files.filter((f) => f.endsWith('.expected.json'))
const names = files
  .filter((f) => !f.endsWith('.expected.json'))
  .map((f) => f.replace(/\.json$/, ''))
  .sort()

const read = (file: string) => readFileSync(new URL(file, FOLDER), 'utf8')
const runOf = (name: string) => name.replace(/[^a-z0-9]/gi, '').toUpperCase()
const expectationOf = (name: string): Expectation =>
  JSON.parse(read(`${name}.expected.json`).replaceAll('{{run}}', runOf(name)))

const fixtures = names.map((name) => ({ name, ...expectationOf(name) }))
const now = String(Math.floor(Date.now() / 1000) - 60)

/** The body as it is posted to that org. */
function bodyFor(org: TestOrg, name: string): Buffer {
  const text = read(`${name}.json`)
    .replaceAll('{{phone}}', org.phones[0]!)
    .replaceAll('{{waba}}', org.wabaId)
    .replaceAll('{{run}}', runOf(name))
    .replaceAll('{{now}}', now)
  return Buffer.from(JSON.stringify(JSON.parse(text)))
}

const { db } = await createTestDatabase()

const DAY_AGO = ago(1)
const ROOMS: [RoomName, TestRoom][] = [
  ['active', { customer: '+15550001111' }],
  ['deactivated', { customer: '+15550002222', deactivatedAt: DAY_AGO }],
  ['expired', { customer: '+15550003333', expiredAt: DAY_AGO }],
]

/** For each, an org with the three customers, and those sent messages that the statuses of the fixtures refer to. */
async function createStages(wanted: Pick<Expectation, 'statuses'>[]) {
  const settings = { auto_reply_text: 'This chat is closed.' }
  const orgs = await createOrgs(db, wanted.length, settings, { users: [] })
  const rooms = await createRooms(
    db,
    orgs.flatMap((org) => ROOMS.map(([, room]) => ({ org, room }))),
  )
  const sent = orgs.flatMap((org, i) =>
    Object.keys(wanted[i]?.statuses ?? {}).map((wamid) => ({ org: org.id, phone: org.phones[0], wamid })),
  )
  await db.$client.query(
    `insert into messages (org_id, wamid, waba_phone_id, direction, type, sent_at, received_at, seq, reason, payload)
     select org, wamid, phone, 'out', 'text', now(), now(), 1, 'sent', '{}'
     from json_to_recordset($1) as sent (org text, phone text, wamid text)`,
    [JSON.stringify(sent)],
  )
  return orgs.map((org, i) => ({ org, roomIds: rooms.slice(i * 3, i * 3 + 3).map((room) => room.id) }))
}

type Stage = Awaited<ReturnType<typeof createStages>>[number]

/** Everything that routing wrote for an org, without ids that differ between orgs. */
async function readStage({ org, roomIds }: Stage) {
  const roomName = (id: string | null) => (id === null ? null : (ROOMS[roomIds.indexOf(id)]?.[0] ?? id))
  const rowsOf = async (sql: string) => (await db.$client.query(sql, [org.id])).rows
  const ledger = await rowsOf('select * from messages where org_id = $1 order by wamid collate "C"')
  const events = await rowsOf('select field, payload from account_events where org_id = $1 order by field')
  const replies = await rowsOf(`select in_reply_to from outbox where org_id = $1 and kind = 'auto_reply'`)
  const rooms = await rowsOf('select id, state from chatrooms where org_id = $1')
  const people = await rowsOf(
    `select array_agg(kind || ' ' || value order by kind, value) as names from customer_aliases
     where org_id = $1 group by customer_id`,
  )
  const sent = ledger.filter((m) => m.direction === 'out' && !m.wamid.startsWith('outbox:'))
  return {
    messages: ledger
      .filter((m) => m.direction !== 'out')
      .map(({ wamid, type, direction, route, chatroom_id }) => ({
        wamid,
        type,
        direction,
        route,
        chatroom: roomName(chatroom_id),
      })),
    accountEvents: events.map((e) => e.field),
    replies: replies.map((r) => r.in_reply_to).sort(),
    statuses: Object.fromEntries(sent.map((m) => [m.wamid, m.status])),
    rooms: Object.fromEntries(rooms.map((r) => [roomName(r.id), r.state])),
    people: people.map((p) => p.names.join(', ')).sort(),
    payloads: ledger.filter((m) => m.direction !== 'out').map((m) => m.payload),
    events: events.map((e) => e.payload),
  }
}

const ends = (outcomes: Outcome[]) => outcomes.map(({ id: _, ...end }) => end)

function expectedEnd({ end, waits_for, problems }: Expectation) {
  return { end, ...(waits_for && { waitsFor: waits_for }), ...(problems && { problems }) }
}

/** Only a message that reactivates changes the state of a chatroom. */
function expectedRooms({ messages }: Expectation) {
  const reactivated = messages.some((m) => m.route === 'reactivated')
  return { active: 'active', deactivated: reactivated ? 'active' : 'deactivated', expired: 'expired' }
}

async function check(name: string, expected: Expectation, stage: Stage): Promise<void> {
  const body = bodyFor(stage.org, name)
  const { outcomes } = await deliver(db, body)
  expect(ends(outcomes)).toEqual([expectedEnd(expected)])
  const found = await readStage(stage)
  expect(found).toMatchObject({
    messages: [...expected.messages].sort((a, b) => (a.wamid < b.wamid ? -1 : 1)),
    accountEvents: [...expected.account_events].sort(),
    statuses: expected.statuses ?? {},
    rooms: expectedRooms(expected),
  })
  expect(found.replies).toHaveLength(expected.replies)
  const parts = objectsIn(JSON.parse(body.toString()))
  for (const payload of found.payloads) expect(parts).toContainEqual(payload)
  const again = await deliver(db, body)
  expect(ends(again.outcomes)).toEqual([expectedEnd(expected)])
  expect(await readStage(stage)).toEqual(found)
}

function objectsIn(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  return [value, ...Object.values(value).flatMap(objectsIn)]
}

describe('a webhook', async () => {
  const stages = await createStages(fixtures)
  const cases = fixtures.map((fixture, i) => [fixture.name, fixture.why, fixture, stages[i]!] as const)

  it.concurrent.each(cases)('%s: %s', async (name, _, expected, stage) => check(name, expected, stage))
})

describe('the collection of webhooks', () => {
  it('has at least 60 shapes', () => {
    expect(names.length).toBeGreaterThanOrEqual(60)
  })

  it('has an expectation for every shape, and a shape for every expectation', () => {
    expect(expectations.map((f) => f.replace(/\.expected\.json$/, '')).sort()).toEqual(names)
  })

  it('names for every expectation a section of our documents', () => {
    const sections = ['docs/rules.md', 'docs/meta.md'].flatMap((document) =>
      anchorsOf(document).map((anchor) => `${document}#${anchor}`),
    )
    expect(fixtures.filter(({ source }) => !sections.includes(source))).toEqual([])
  })

  it('gives the same result in a single batch as one delivery after another', async () => {
    const merged = { statuses: Object.assign({}, ...fixtures.map(({ statuses }) => statuses)) }
    const [together, apart] = await createStages([merged, merged])
    const batch = await deliver(db, ...names.map((name) => bodyFor(together!.org, name)))
    const single: Outcome[] = []
    for (const name of names) single.push(...(await deliver(db, bodyFor(apart!.org, name))).outcomes)
    expect(ends(batch.outcomes)).toEqual(ends(single))
    const { payloads, events, ...found } = await readStage(together!)
    const { payloads: _, events: __, ...expected } = await readStage(apart!)
    expect(found).toEqual(expected)
    expect(found.messages.length).toBeGreaterThan(150)
  })
})
