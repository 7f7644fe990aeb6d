import { beforeEach, describe, expect, test } from 'vitest'
import { run } from '../../src/db/statement.ts'
import { queueMessages } from '../../src/outbound/queue-messages.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { loggedIn, opsWithQueue } from '../support/ops.ts'
import { createRoom, createSendingOrg } from '../support/org.ts'
import { eventually } from '../support/patience.ts'
import { ago } from '../support/time.ts'

const database = await createTestDatabase()
const { db, pool } = database
const { start, enqueued } = opsWithQueue(database)

beforeEach(() => pool.query('truncate bulk_runs'))

const post = (url: string, fields: Record<string, string> = {}, headers = {}) =>
  loggedIn(url, {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  })

const textOf = async (url: string) => {
  const { status, body } = await loggedIn(url)
  expect([url, status]).toEqual([url, 200])
  return body.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
}

/** Dead letters, of which each second one was refused. */
const bury = (count: number) =>
  pool.query(
    `insert into inbox (body, state, error) select '', 'dead', (array['refused', 'not JSON'])[1 + n % 2]
     from generate_series(1, $1::int) n`,
    [count],
  )
const count = async (state: string) => {
  const { rows } = await pool.query('select count(*)::int as n from inbox where state = $1', [state])
  return rows[0].n
}
/** Makes every run look as if its process had died a while ago. */
const letTimePass = () =>
  pool.query(`update bulk_runs set beat_at = now() - interval '1 minute' where ended_at is null`)

describe('a replay of dead letters by filter', () => {
  test('goes on in the background, in small jobs, with each letter that fits once; the page shows how far it is', async () => {
    await bury(500)
    const url = await start()
    const { status, headers } = await post(`${url}/console/stuck/replay`, { reason: 'Refused' })
    expect([status, headers.location]).toEqual([303, '/console/stuck/dead?reason=Refused'])
    const page = () => textOf(`${url}${headers.location}`)
    await expect.poll(page).toContain('Finished: 250 of 250 replayed')
    expect(await page()).toContain('250 waiting for a worker')
    expect(await page()).toContain('by ops:ops, reason contains “Refused”')
    expect(enqueued().map((ids) => ids.length)).toEqual([100, 100, 50])
    expect(new Set(enqueued().flat()).size).toBe(250)
    await pool.query(
      `update inbox set state = 'dead', error = 'refused again' where state = 'new' and id % 4 = 0`,
    )
    await pool.query(`delete from inbox where state = 'new'`)
    const { rows } = await pool.query(`select count(*)::int as n from inbox where error = 'refused again'`)
    expect(await page()).toContain(`Finished: 250 of 250 replayed ; ${rows[0].n} dead again`)
    expect(await count('dead')).toBe(250 + rows[0].n)
  })

  test('takes the age as it was when the run began', async () => {
    await bury(4)
    await pool.query(`update inbox set received_at = now() - interval '2 hours' where id % 2 = 0`)
    const url = await start()
    await post(`${url}/console/stuck/replay`, { age: 'over-1h' })
    await expect.poll(() => textOf(`${url}/console/stuck/dead`)).toContain('Finished: 2 of 2 replayed')
  })

  test('waits while many deliveries wait for a worker, so that fresh ones are not delayed', async () => {
    await bury(10)
    await pool.query(`insert into inbox (body) select '' from generate_series(1, 600)`)
    const url = await start()
    await post(`${url}/console/stuck/replay`)
    const beats = async () =>
      (await pool.query('select beat_at > created_at as beats from bulk_runs')).rows[0].beats
    await eventually(beats)
    expect(await textOf(`${url}/console/stuck/dead`)).toContain('At work: 0 of 10 replayed')
    expect(enqueued()).toEqual([])
    await pool.query(`delete from inbox where state = 'new'`)
    await expect.poll(() => textOf(`${url}/console/stuck/dead`)).toContain('Finished: 10 of 10 replayed')
  })

  test('that its process left says how far it came, goes on there, and doubles nothing', async () => {
    await bury(500)
    let release = () => {}
    const hang = new Promise<boolean>((resolve) => {
      release = () => resolve(true)
    })
    const dying = await start({ enqueue: () => hang })
    await post(`${dying}/console/stuck/replay`, { reason: 'refused' })
    await expect.poll(() => count('new')).toBe(100)
    await letTimePass()
    const url = await start()
    const page = await loggedIn(`${url}/console/stuck/dead`)
    expect(page.body).toContain('It stands still, because its process ended: 100 of 250 replayed')
    const [, path = ''] = /action="([^"]+\/continue)"/.exec(page.body) ?? []
    const jobs = enqueued().length
    expect((await post(url + path)).status).toBe(303)
    expect((await post(url + path)).status).toBe(303)
    release()
    await expect.poll(() => textOf(`${url}/console/stuck/dead`)).toContain('Finished: 250 of 250 replayed')
    expect(enqueued().slice(jobs).flat()).toHaveLength(150)
    expect([await count('new'), await count('dead')]).toEqual([250, 250])
  })

  test('can be ended; one at a time', async () => {
    await bury(10)
    await pool.query(`insert into inbox (body) select '' from generate_series(1, 600)`)
    const url = await start()
    expect((await post(`${url}/console/stuck/replay`)).status).toBe(303)
    expect((await post(`${url}/console/stuck/replay`)).status).toBe(409)
    const { body } = await loggedIn(`${url}/console/stuck/dead`)
    expect(body).not.toContain('action="/console/stuck/replay"')
    const [, path = ''] = /action="([^"]+\/end)"/.exec(body) ?? []
    expect((await post(url + path)).status).toBe(303)
    await pool.query(`delete from inbox where state = 'new'`)
    expect(await textOf(`${url}/console/stuck/dead`)).toContain('Ended by an operator: 0 of 10 replayed')
    expect((await post(`${url}/console/stuck/replay`)).status).toBe(303)
    await expect.poll(() => count('dead')).toBe(0)
  })
})

/** Sends of an org that failed, the oldest first. */
async function fail(count: number) {
  const org = await createSendingOrg(db)
  const room = await createRoom(db, org, { lastInboundAt: ago(0) })
  const { id: roomId, customerId, wabaPhoneId: phoneId } = room
  const about = { kind: 'message' as const, origin: 'AGENT' as const, inReplyTo: null, reason: 'test' }
  const one = { orgId: org.id, roomId, customerId, phoneId, ...about, payload: { type: 'text' } }
  const ids: string[] = []
  for (let i = 0; i < count; i += 1) {
    const [row] = await run(db, queueMessages([one]))
    ids.push(row!.id)
  }
  await pool.query(`update outbox set state = 'failed', error = 'why it failed' where id = any($1)`, [ids])
  await pool.query(`update messages set status = 'failed' where outbox_id = any($1)`, [ids])
  return { org, roomId, ids }
}

const retried = async (orgId: string) => {
  const { rows } = await pool.query(
    'select retry_of from messages where org_id = $1 and retry_of is not null order by seq',
    [orgId],
  )
  return rows.map((row) => row.retry_of)
}

describe('a retry of failed sends by filter', () => {
  test('sends each that fits again once, the oldest first; the audit names who asked', async () => {
    const { org, ids } = await fail(25)
    await pool.query(`update outbox set error = 'another reason' where id = $1`, [ids[3]])
    const fitting = ids.filter((id) => id !== ids[3])
    const url = await start()
    const fields = { org: org.id, reason: 'Why it' }
    const { status, headers } = await post(`${url}/console/stuck/sends/retry`, fields)
    expect([status, headers.location]).toEqual([
      303,
      `/console/stuck/sends?org=${org.id}&reason=Why+it&state=failed`,
    ])
    await expect.poll(() => textOf(url + headers.location)).toContain('Finished: 24 of 24 sent again')
    expect(await retried(org.id)).toEqual(fitting)
    expect(await eventsOfOrg(db, org.id, 'message.retried')).toMatchObject(
      fitting.map(() => ({ actor: 'ops:ops' })),
    )
    await post(`${url}/console/stuck/sends/retry`, fields)
    await expect.poll(() => textOf(url + headers.location)).toContain('Finished: 0 of 0 sent again')
    expect(await retried(org.id)).toHaveLength(24)
  })

  test('counts what may not be sent again, and goes on', async () => {
    const { org, roomId } = await fail(3)
    await pool.query(`update chatrooms set expired_at = now() where id = $1`, [roomId])
    const url = await start()
    await post(`${url}/console/stuck/sends/retry`, { org: org.id })
    await expect
      .poll(() => textOf(`${url}/console/stuck/sends?org=${org.id}`))
      .toContain('Finished: 0 of 3 sent again ; 3 refused: CHATROOM_IS_EXPIRED_FOR_SENDING')
  })

  test('takes unknown ones only if their state is chosen and the box is ticked', async () => {
    const { org, ids } = await fail(2)
    await pool.query(`update outbox set state = 'unknown' where id = $1`, [ids[0]])
    await pool.query(`update messages set status = null where outbox_id = $1`, [ids[0]])
    const url = await start()
    const path = `${url}/console/stuck/sends/retry`
    expect((await post(path, { org: org.id, state: 'unknown' })).status).toBe(409)
    await post(path, { org: org.id })
    await expect.poll(() => retried(org.id)).toEqual([ids[1]])
    await expect.poll(() => textOf(`${url}/console/stuck/sends?org=${org.id}`)).toContain('Finished: 1 of 1')
    await post(path, { org: org.id, state: 'unknown', confirm: 'true' })
    await expect.poll(() => retried(org.id)).toEqual([ids[1], ids[0]])
  })

  test('that its process left goes on where it stood, and sends nothing twice', async () => {
    const { org, ids } = await fail(30)
    const dying = new AbortController()
    await post(`${await start({ ending: dying.signal })}/console/stuck/sends/retry`, { org: org.id })
    await eventually(async () => (await retried(org.id)).length > 0)
    dying.abort()
    await expect.poll(() => retried(org.id)).toEqual(ids.slice(0, 20))
    await letTimePass()
    const url = await start()
    const { body } = await loggedIn(`${url}/console/stuck/sends?org=${org.id}`)
    expect(body).toContain('It stands still, because its process ended: 20 of 30 sent again')
    const [, path = ''] = /action="([^"]+\/continue)"/.exec(body) ?? []
    await post(url + path)
    await expect.poll(() => retried(org.id)).toEqual(ids)
  })

  test('needs an org, and leaves those of others alone', async () => {
    const [one, other] = [await fail(1), await fail(1)]
    const url = await start()
    expect((await post(`${url}/console/stuck/sends/retry`)).status).toBe(422)
    expect((await post(`${url}/console/stuck/sends/retry`, { org: 'nobody' })).status).toBe(404)
    await post(`${url}/console/stuck/sends/retry`, { org: one.org.id })
    await expect.poll(() => retried(one.org.id)).toEqual(one.ids)
    expect(await retried(other.org.id)).toEqual([])
    expect(await textOf(`${url}/console/stuck/sends?org=${other.org.id}`)).not.toContain('sent again ;')
  })
})

test('no run begins, goes on or ends if the console is read-only, or for another site', async () => {
  await bury(1)
  const { org } = await fail(1)
  const url = await start()
  const id = '0193b0a0-0000-7000-8000-000000000000'
  const paths = ['replay', 'sends/retry', `runs/${id}/continue`, `runs/${id}/end`]
  for (const path of paths)
    expect((await post(`${url}/console/stuck/${path}`, {}, { 'sec-fetch-site': 'cross-site' })).status).toBe(
      403,
    )
  const readOnly = await start({ readOnly: true })
  for (const path of paths) expect((await post(`${readOnly}/console/stuck/${path}`)).status).toBe(403)
  for (const list of ['', '/dead', `/sends?org=${org.id}`])
    expect((await loggedIn(`${readOnly}/console/stuck${list}`)).body).not.toContain('method="post"')
  expect((await pool.query('select from bulk_runs')).rowCount).toBe(0)
})

test('runs that ended 30 days ago are forgotten when the next one begins', async () => {
  await pool.query(
    `insert into bulk_runs (id, kind, filter, actor, total, runner, ended_at, outcome)
     select gen_random_uuid(), 'replay', '{}', 'x', 0, gen_random_uuid(), now() - d * interval '1 day', 'finished'
     from unnest(array[1, 29, 31, 90]) d`,
  )
  const url = await start()
  await post(`${url}/console/stuck/replay`)
  expect((await pool.query('select from bulk_runs')).rowCount).toBe(3)
})
