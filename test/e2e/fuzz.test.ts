import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { engines } from '../support/app.ts'
import { createTestDatabase } from '../support/database.ts'
import { seededRandom } from '../support/faults/random.ts'
import { SEED } from '../support/figures.ts'
import { type MutatedDelivery, mutatedDeliveries } from '../support/mutated-webhooks.ts'
import { createOrg } from '../support/org.ts'
import { eventually } from '../support/patience.ts'
import { APP_SECRET, postDelivery } from '../support/post.ts'
import { startUsher } from '../support/process.ts'
import { startRedis } from '../support/redis.ts'

/**
 * `FUZZ_RUNS=20000 FUZZ_FOLDER=... npx vitest run --project e2e fuzz` for a long search by hand, also in the JSON files of
 * another folder; FAULT_SEED=n repeats a run.
 */
const RUNS = Number(process.env.FUZZ_RUNS ?? 300)
const AT_ONCE = 10
const JWT_SECRET = 'a secret that is long enough for an HMAC key'

const random = seededRandom(SEED)

/** One byte of the body is another one, or missing: it may be no JSON any more. */
function withOddByte(body: Buffer): Buffer {
  const at = random.int(0, body.length - 1)
  if (random.chance(0.3)) return Buffer.concat([body.subarray(0, at), body.subarray(at + 1)])
  const odd = Buffer.from(body)
  odd[at] = random.int(0, 255)
  return odd
}

/** What is posted: each delivery, one in ten twice, and those of others with an odd byte. */
function bodiesOf(deliveries: MutatedDelivery[], others: MutatedDelivery[]): Buffer[] {
  const bodies = deliveries.flatMap(({ body }) => (random.chance(0.1) ? [body, body] : [body]))
  return random.shuffled([...bodies, ...others.map(({ body }) => withOddByte(body))])
}

describe.each(engines())('with the queue on %s', (engine) => {
  it(`whatever is odd in signed deliveries, all are stored, and their good messages routed (seed ${SEED})`, async () => {
    const { db, pool, url: DATABASE_URL } = await createTestDatabase()
    const redis = engine === 'redis' ? await startRedis() : undefined
    const org = await createOrg(db, { auto_reply_text: 'closed', unknown_sender: 'create' })
    const usher = await startUsher('all', {
      ...{ DATABASE_URL, META_APP_SECRET: APP_SECRET, JWT_SECRET },
      ...(redis && { REDIS_URL: redis.url }),
    })
    const deliveriesOf = (numRuns: number, seed: number) =>
      fc.sample(mutatedDeliveries({ phone: org.phones[0]!, waba: org.wabaId }), { numRuns, seed })
    const deliveries = deliveriesOf(RUNS, SEED)
    const bodies = bodiesOf(deliveries, deliveriesOf(Math.ceil(RUNS / 5), SEED + 1))
    const answers: Record<number, number> = {}
    const poster = async () => {
      for (let body = bodies.pop(); body; body = bodies.pop()) {
        const status = await postDelivery(usher.url, body)
        answers[status] = (answers[status] ?? 0) + 1
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, poster))
    expect(Object.keys(answers)).toEqual(['200'])
    await eventually(async () => {
      const { rows } = await pool.query(`select from inbox where state = 'new'`)
      return rows.length === 0
    })

    const good = deliveries.flatMap((delivery) => delivery.good)
    const { rows } = await pool.query<{ wamid: string; from: string }>(
      `select wamid, wa_id as "from" from messages where org_id = $1 and wamid = any($2) and chatroom_id is not null`,
      [org.id, good.map(({ wamid }) => wamid)],
    )
    const stored = new Map(rows.map(({ wamid, from }) => [wamid, from]))
    expect(good.filter(({ wamid, from }) => stored.get(wamid) !== from)).toEqual([])
    // A dead letter names what cannot be read; an error of PostgreSQL or of Usher itself is a bug.
    const bugs = await pool.query(
      `select error from inbox where state = 'dead' and (error is null or error ~ 'SQLSTATE|Usher itself|never finished')`,
    )
    expect(bugs.rows).toEqual([])
    expect((await fetch(`${usher.opsUrl}/ready`)).status).toBe(200)
    expect(usher.output()).not.toMatch(/"level":"?(60|fatal)/)
    expect(await usher.stop()).toBe(0)
    await redis?.stop()
  })
})
