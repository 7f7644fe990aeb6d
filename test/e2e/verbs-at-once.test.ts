import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { releaseChatrooms } from '../../src/chatrooms/release-chatrooms.ts'
import { mintToken } from '../../src/cli/token.ts'
import { isTransient } from '../../src/db/pg-errors.ts'
import { deactivateInactive } from '../../src/lifecycle/deactivate-inactive.ts'
import { expireOld } from '../../src/lifecycle/expire-old.ts'
import { engines, startTestApp } from '../support/app.ts'
import { collidingPeople } from '../support/colliding-people.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { countDeadlocks } from '../support/deadlocks.ts'
import { seededRandom } from '../support/faults/random.ts'
import { SEED } from '../support/figures.ts'
import { startGraph } from '../support/graph.ts'
import type { RecordingGraph } from '../support/graph-server.ts'
import { createRoom, createSendingOrgs, provisionOrg, SECRETS_KEY, type TestOrg } from '../support/org.ts'
import { SLOWNESS } from '../support/patience.ts'
import { ago } from '../support/time.ts'
import { bytes, change as changeOf, delivery, post } from '../support/webhooks.ts'

/** By hand: `LOCK_SECONDS=120 npx vitest run --project e2e verbs-at-once`. */
const SECONDS = Number(process.env.LOCK_SECONDS ?? 5 * SLOWNESS)
const PEOPLE = 24
const USERS = Array.from({ length: 60 }, (_, i) => `user-${i}`)
const JWT_SECRET = 'a secret that is long enough for an HMAC key'

const random = seededRandom(SEED)
const people = collidingPeople(random, PEOPLE)

/** Calls the API as an ADMIN; counts the answers by status. */
async function createCaller(url: string, org: TestOrg) {
  const jwt = { secrets: [JWT_SECRET], jwksUrl: undefined, issuer: undefined, audience: undefined }
  const token = await mintToken({ org: org.id, role: 'ADMIN', user: 'ann', hours: '12' }, jwt)
  const answers: Record<string, number> = {}
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const key = `${response.status} ${method} ${path.replace(/[\w-]*\d[\w-]*/g, '*')}`
    answers[key] = (answers[key] ?? 0) + 1
    return response.json().catch(() => ({}))
  }
  return { call, answers }
}

type Call = Awaited<ReturnType<typeof createCaller>>['call']
type Room = { id: string; contact: string }

/** One change of a contact or a chatroom, by the API. */
async function change(call: Call, { pool }: TestDatabase, { id: org }: TestOrg): Promise<void> {
  const { rows } = await pool.query<Room>(
    'select id, contact_id as contact from chatrooms where org_id = $1 order by random() limit 1',
    [org],
  )
  const { id, contact } = rows[0]!
  const byUser = { assign_mode: 'USER', user_id: random.pick(USERS), assign_on_handover: random.chance(0.5) }
  await random.pick([
    () => register(call, org),
    () => call('PUT', `/v1/orgs/${org}/contact/${contact}`, { crm_id: `crm-${random.int(0, 1e9)}` }),
    () => call('PUT', `/v1/org/${org}/contacts/chatroom/${id}/activate?force_deactivate=true`),
    () => call('PUT', `/v1/org/${org}/contacts/chatroom/${id}/deactivate`, {}),
    () => call('POST', `/v3/org/${org}/lead/chatroom/${id}/reassign`, { assign_details: byUser }),
    () => call('POST', `/v3/orgs/${org}/contacts/${contact}/assign`, { user_id: random.pick(USERS) }),
    () => call('POST', `/v1/org/${org}/chatroom/${id}/messages`, textOf(random.pick(['AGENT', 'CAMPAIGN']))),
  ])()
}

const textOf = (origin: string) => ({ origin, text: { body: 'hello' } })

/** Errors of Meta's that fail a message, pause marketing to its customer, or opt the customer out. */
const ERRORS = [131026, 131049, 131050]

/** Statuses of messages that the Graph API accepted, of several customers in one delivery, some without callback data. */
function statusesOf({ accepted }: RecordingGraph, number: string): Buffer {
  const picked = Array.from({ length: random.int(1, 6) }, () => random.pick(accepted))
  const statuses = picked.map(({ wamid, callback, to }) => {
    const status = random.pick(['sent', 'delivered', 'read', 'failed'])
    const timestamp = String(Math.floor(Date.now() / 1000))
    return {
      ...{ id: wamid, status, timestamp, recipient_id: to.replace('+', '') },
      ...(random.chance(0.5) && { biz_opaque_callback_data: callback }),
      ...(status === 'failed' && { errors: [{ code: random.pick(ERRORS), title: 'no' }] }),
    }
  })
  return bytes(delivery([changeOf(number, { statuses })]))
}

/** A contact of one of the people, with a chatroom that replaces the active one. */
async function register(call: Call, org: string): Promise<void> {
  const phone = people.phone()
  const { id } = await call('POST', `/v2/org/${org}/contact`, {
    crm_id: `crm-${phone}-${random.int(0, 1e9)}`,
    phone_number: { rawInput: `+${phone}` },
    opt_in_date: 1_790_000_000,
  })
  const assign_details = { assign_mode: 'USER', user_id: random.pick(USERS) }
  await call('POST', `/v3/org/${org}/lead/chatroom`, { lead_id: id, assign_details, force_deactivate: true })
}

/** A chatroom whose days are over, or that nobody has written to for long enough; a second active one is refused. */
async function addOldRoom({ db }: TestDatabase, org: TestOrg): Promise<void> {
  const times = random.chance(0.5)
    ? { createdAt: ago(40), deactivatedAt: ago(2) }
    : { createdAt: ago(40), contactCreatedAt: ago(1), activatedAt: ago(40) }
  const phone = random.pick(org.phones)
  await createRoom(db, org, { customer: `+${people.phone()}`, phone, ...times }).catch((error) => {
    if (!isTransient(error)) throw error
  })
}

async function removeUser(call: Call, { db }: TestDatabase, org: TestOrg, user: string): Promise<void> {
  if (random.chance(0.5)) await call('DELETE', `/v1/org/${org.id}/users/${user}`)
  else await provisionOrg(db, { id: org.id, users: [{ id: user, removed: true }] })
}

describe.each(engines())('with the queue on %s', (engine) => {
  it(`routing, merges, sends, statuses, API, sweeps and users who leave never deadlock (seed ${SEED})`, async () => {
    const database = await createTestDatabase()
    const { db, pool, url } = database
    const graph = await startGraph()
    const sending = { GRAPH_API_URL: graph.url, SECRETS_KEY }
    const app = await startTestApp(engine, { DATABASE_URL: url, JWT_SECRET, ...sending })
    const settings = { expiry_days: 30, inactivity_days: 30, unknown_sender: 'hold' }
    const [org] = await createSendingOrgs(db, 1, settings, { phones: 2, users: ['ann', ...USERS] })
    if (!org) throw new Error('no org was made')
    await createRoom(db, org)
    const { call, answers } = await createCaller(app.url ?? '', org)
    const end = performance.now() + SECONDS * 1_000
    const posts: number[] = []
    const removed = [...USERS.slice(0, USERS.length / 2)]
    let changes = 0
    const actor = (pauseMs: number, act: () => Promise<unknown>) => async () => {
      for (; performance.now() < end; await sleep(pauseMs)) await act()
    }
    const writer = actor(1, async () => {
      const messages = Array.from({ length: random.int(1, 5) }, people.write)
      posts.push(await app.post(post(random.pick(org.phones), ...messages)))
    })
    const actors = [
      ...[writer, writer, writer, writer],
      ...[1, 2, 3].map(() => actor(1, () => change(call, database, org))),
      actor(20, () => addOldRoom(database, org)),
      actor(5, async () => {
        if (graph.accepted.length > 0) posts.push(await app.post(statusesOf(graph, random.pick(org.phones))))
      }),
      actor(50, async () => {
        for (const sweep of [expireOld, deactivateInactive]) {
          for (const counts of (await sweep(db, undefined)).values())
            changes += Object.values(counts).reduce((sum, n) => sum + n, 0)
        }
        changes += await releaseChatrooms(db)
      }),
      actor(100, async () => {
        const user = removed.pop()
        if (user) await removeUser(call, database, org, user)
      }),
    ]
    await Promise.all(actors.map((act) => act()))
    await app.drained()
    const merged = await pool.query('select from customers where merged_into is not null')
    const dead = await pool.query(`select error from inbox where state <> 'new'`)
    await app.lifetime.stop(10_000)
    process.stdout.write(
      `${SECONDS} s on ${engine}: ${posts.length} deliveries, ${graph.accepted.length} sends, ${merged.rowCount} merges, ${changes} changes by sweeps, ${JSON.stringify(answers)}\n`,
    )
    expect(new Set(posts)).toEqual(new Set([200]))
    expect(Object.keys(answers).filter((answer) => answer.startsWith('5'))).toEqual([])
    expect(dead.rows).toEqual([])
    for (const count of [merged.rowCount, changes, graph.accepted.length]) expect(count).toBeGreaterThan(0)
    expect(await countDeadlocks(pool)).toBe(0)
  })
})
