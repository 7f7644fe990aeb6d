import { v7 as uuidv7 } from 'uuid'
import { describe, expect, it } from 'vitest'
import { purge } from '../../src/lifecycle/purge.ts'
import { createTestDatabase } from '../support/database.ts'
import { inboxStates, store } from '../support/inbox.ts'
import { later } from '../support/lifecycle.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { ago } from '../support/time.ts'

const { db } = await createTestDatabase()

describe('the purge', () => {
  it('deletes what is too old, makes deliveries that were never provisioned dead letters, and keeps the rest', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const key = (name: string, hours: number) =>
      db.$client.query(
        `insert into idempotency_keys (org_id, key, request_digest, created_at)
         values ($1, $2, '', now() - $3 * interval '1 hour')`,
        [org.id, name, hours],
      )
    const limit = (name: string, ms: number | null) =>
      db.$client.query('insert into rate_limits (key, points, expire) values ($1, 1, $2)', [
        `${org.id}:${name}`,
        ms === null ? null : Date.now() + ms,
      ])
    const send = async (state: string, days: number) => {
      const id = uuidv7({ msecs: ago(days).getTime() })
      await db.$client.query(
        `insert into outbox (org_id, id, kind, chatroom_id, customer_id, waba_phone_id, payload, state, created_at)
         values ($1, $2, 'message', $3, $4, $5, '{}', $6, $7)`,
        [org.id, id, room.id, room.customerId, room.wabaPhoneId, state, ago(days)],
      )
    }
    const park = async (days: number) => {
      const [id = 0] = await store(db, Buffer.from('x'))
      await db.$client.query(
        `update inbox set state = 'parked', parked_for = 'phone:nobody', received_at = $2 where id = $1`,
        [id, ago(days)],
      )
      return id
    }
    await key('old', 24.01)
    await key('young', 23.99)
    await limit('expired', -1_000)
    await limit('running', 60_000)
    await limit('permanent', null)
    for (const state of ['sent', 'failed', 'queued', 'sending', 'unknown']) await send(state, 30.01)
    for (const state of ['sent', 'failed']) await send(state, 29.99)
    const [forgotten, young] = [await park(30.01), await park(29.99)]
    const dead = await store(db, Buffer.from('y'))
    await db.$client.query(`update inbox set state = 'dead', error = 'z', received_at = $2 where id = $1`, [
      dead[0],
      ago(1_000),
    ])

    const progress: number[] = []
    const purged = await purge(db, undefined, (done) => progress.push(done))
    expect(purged).toEqual({ idempotencyKeys: 1, rateLimits: 1, outbox: 2, earlyStatuses: 0, buried: 1 })
    expect(progress.at(-1)).toBe(5)
    const column = async (text: string) =>
      (await db.$client.query({ text, values: [org.id], rowMode: 'array' })).rows.map(([value]) => value)
    expect(await column('select key from idempotency_keys where org_id = $1')).toEqual(['young'])
    expect(await column(`select key from rate_limits where key like $1 || ':%' order by key`)).toEqual([
      `${org.id}:permanent`,
      `${org.id}:running`,
    ])
    expect(await column('select state from outbox where org_id = $1 order by id, state')).toEqual(
      expect.arrayContaining(['queued', 'sending', 'unknown', 'sent', 'failed']),
    )
    expect(await column('select state from outbox where org_id = $1')).toHaveLength(5)
    expect(await inboxStates(db, [forgotten, young, dead[0]!])).toEqual(['dead', 'parked', 'dead'])
    const { rows } = await db.$client.query('select error, body from inbox where id = $1', [forgotten])
    expect(rows).toEqual([{ error: 'never provisioned', body: Buffer.from('x') }])
    expect(await purge(db, undefined)).toEqual({
      idempotencyKeys: 0,
      rateLimits: 0,
      outbox: 0,
      earlyStatuses: 0,
      buried: 0,
    })
  })

  it('works batch after batch, and never runs ahead of the database clock', async () => {
    const org = await createOrg(db)
    await db.$client.query(
      `insert into idempotency_keys (org_id, key, request_digest, created_at)
       select $1, n::text, '', now() - interval '25 hours' from generate_series(1, 2500) n`,
      [org.id],
    )
    await db.$client.query(
      `insert into idempotency_keys (org_id, key, request_digest) values ($1, 'young', '')`,
      [org.id],
    )
    expect((await purge(db, later(new Date(), 400))).idempotencyKeys).toBe(2_500)
    expect((await purge(db, later(new Date(), 400))).idempotencyKeys).toBe(0)
  })
})
