import { beforeAll, describe, expect, it } from 'vitest'
import { sign } from '../../src/http/signature.ts'
import { engines, OPS_LOGIN, startTestApp, type TestApp } from '../support/app.ts'
import { send } from '../support/http.ts'
import { readMessage, readRoom } from '../support/inbox.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { APP_SECRET } from '../support/post.ts'
import { bytes, change, delivery, message, newWamid, post } from '../support/webhooks.ts'

describe.each(engines())('from the receiver to the chatroom, queue on %s', (engine) => {
  let app: TestApp

  beforeAll(async () => {
    app = await startTestApp(engine, { WORKER_CONCURRENCY: '4' }, { until: 'file' })
  })

  it('routes a signed message, and refuses a forged one', async () => {
    const org = await createOrg(app.db)
    const room = await createRoom(app.db, org, { deactivatedAt: new Date(Date.now() - 1000) })
    const [m, forged] = [message({}), message({})]
    expect(await app.post(post(org.phones[0]!, m))).toBe(200)
    expect(await app.post(post(org.phones[0]!, forged), 'another secret')).toBe(401)
    await app.drained()
    expect(await readMessage(app.db, org.id, m.id)).toMatchObject({
      route: 'reactivated',
      chatroom_id: room.id,
    })
    expect(await readMessage(app.db, org.id, forged.id)).toBeUndefined()
    expect((await readRoom(app.db, org.id, room.id)).state).toBe('active')
  })

  it('keeps one message of 100 concurrent copies of a delivery', async () => {
    const org = await createOrg(app.db, { auto_reply_text: 'closed' })
    await createRoom(app.db, org, { expiredAt: new Date(Date.now() - 1000) })
    const body = post(org.phones[0]!, message({}))
    const answers = await Promise.all(Array.from({ length: 100 }, () => app.post(body)))
    expect(answers.every((status) => status === 200)).toBe(true)
    await app.drained()
    const { rows } = await app.db.$client.query(
      `select (select count(*)::int from messages where org_id = $1 and direction = 'in') as messages,
              (select count(*)::int from outbox where org_id = $1) as replies`,
      [org.id],
    )
    expect(rows).toEqual([{ messages: 1, replies: 1 }])
  })

  it('gives each of 2,000 messages of 50 customers on two numbers to its own sender', async () => {
    const org = await createOrg(app.db, { unknown_sender: 'create' }, { phones: 2 })
    const customers = Array.from({ length: 50 }, (_, i) => `1555777${String(1000 + i)}`)
    for (const [i, customer] of customers.entries()) {
      if (i % 5 === 4) continue // These have no chatroom yet, so routing creates one.
      for (const phone of org.phones) {
        const deactivatedAt = i % 3 === 0 ? { deactivatedAt: new Date(Date.now() - 1000) } : {}
        await createRoom(app.db, org, { phone, customer: `+${customer}`, ...deactivatedAt })
      }
    }
    const messages = Array.from({ length: 2_000 }, (_, i) => ({
      phone: org.phones[i % 2]!,
      m: message({ from: customers[(i * 7) % 50]!, body: `message ${i}` }),
    }))
    const bodies = []
    for (let i = 0; i < messages.length; i += 1 + (i % 4)) {
      const group = messages.slice(i, i + 1 + (i % 4))
      bodies.push(bytes(delivery(group.map(({ phone, m }) => change(phone, { messages: [m] })))))
    }
    const queue = bodies.values()
    const send = async () => {
      for (const body of queue) expect(await app.post(body)).toBe(200)
    }
    await Promise.all(Array.from({ length: 16 }, send))
    await app.drained()
    const { rows } = await app.db.$client.query<{
      wamid: string
      wa_id: string
      phone: string
      customer: string
    }>(
      `select m.wamid, m.wa_id, r.waba_phone_id as phone,
         (select ltrim(a.value, '+') from customer_aliases a
          where a.org_id = m.org_id and a.customer_id = r.customer_id and a.kind = 'wa_id') as customer
       from messages m join chatrooms r on r.org_id = m.org_id and r.id = m.chatroom_id where m.org_id = $1`,
      [org.id],
    )
    const landed = new Map(rows.map((r) => [r.wamid, r]))
    const misplaced = messages.filter(({ phone, m }) => {
      const row = landed.get(m.id)
      return row?.phone !== phone || row.customer !== m.from || row.wa_id !== m.from
    })
    expect([rows.length, misplaced.length]).toEqual([2_000, 0])
    const { rows: active } = await app.db.$client.query(
      `select 1 from chatrooms where org_id = $1 and state = 'active'
       group by customer_id, waba_phone_id having count(*) > 1`,
      [org.id],
    )
    expect(active).toEqual([])
  })

  it('routes a delivery whose job was lost, and a parked one once its number is provisioned', async () => {
    const org = await createOrg(app.db)
    const [lost, early] = [message({}), message({})]
    const late = `late-${newWamid()}`
    expect(await app.post(post(late, early))).toBe(200)
    await app.drained()
    const { rows } = await app.db.$client.query(`select parked_for from inbox where state = 'parked'`)
    expect(rows).toEqual([{ parked_for: `phone:${late}` }])
    // Stored as the receiver stores it, but due long ago, and without a job.
    await app.db.$client.query(`insert into inbox (body, due_at) values ($1, now() - interval '1 minute')`, [
      post(org.phones[0]!, lost),
    ])
    await app.db.$client.query(`insert into meta_objects (kind, id, org_id) values ('phone', $1, $2)`, [
      late,
      org.id,
    ])
    await app.drained()
    await expect.poll(() => readMessage(app.db, org.id, lost.id)).toMatchObject({ route: 'held' })
    await expect.poll(() => readMessage(app.db, org.id, early.id)).toMatchObject({ route: 'held' })
  })

  it('shows a dead letter to the operator, who replays it when its cause is gone', async () => {
    const org = await createOrg(app.db)
    await app.db.$client.query(
      `alter table messages add constraint no_poison check (payload::text not like '%POISON%')`,
    )
    const [good, poison] = [message({}), message({ body: 'POISON' })]
    expect(await app.post(post(org.phones[0]!, good, poison))).toBe(200)
    await app.drained()
    expect(await readMessage(app.db, org.id, good.id)).toMatchObject({ route: 'held' })
    const ops = (path: string, method = 'GET') =>
      fetch(`${app.opsUrl}${path}`, { method, headers: { authorization: OPS_LOGIN } })
    const list = (await (await ops('/dead-letters')).json()) as {
      dead_letters: { id: number; error: string }[]
    }
    expect(JSON.stringify(list)).toContain('messages[1]: refused by the database')
    expect(JSON.stringify(list)).not.toContain('POISON')
    await app.db.$client.query('alter table messages drop constraint no_poison')
    const { rows } = await app.db.$client.query(`select id from inbox where state = 'dead'`)
    expect((await ops(`/dead-letters/${rows[0].id}/replay`, 'POST')).status).toBeLessThan(300)
    await app.drained()
    expect(await readMessage(app.db, org.id, poison.id)).toMatchObject({ route: 'held' })
  })
})

it.each([
  ['on', undefined],
  ['off', expect.any(String)],
])('with RECEIVER_SHORTCUT=%s webhooks and the API are answered', async (value, requestId) => {
  const { url = '' } = await startTestApp('postgres', { RECEIVER_SHORTCUT: value }, { role: 'server' })
  const body = post('1', message({}))
  const headers = { 'x-hub-signature-256': sign(body, APP_SECRET) }
  const reply = await send(`${url}/webhooks/whatsapp`, { method: 'POST', body, headers })
  expect(reply).toMatchObject({ status: 200, body: 'ok' })
  // Express gives each request an id.
  expect(reply.headers['x-request-id']).toEqual(requestId)
  expect((await send(`${url}/v1/org/acme/settings`)).status).toBe(401)
})
