import { describe, expect, test } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { createTestDatabase } from '../support/database.ts'
import { insertDelivery } from '../support/inbox.ts'
import { LOGIN, loggedIn, opsWithQueue } from '../support/ops.ts'

const database = await createTestDatabase()
const { db, pool } = database

const { start, enqueued } = opsWithQueue(database)

describe('/dead-letters', () => {
  const get = async (url: string) => JSON.parse((await loggedIn(url)).body)

  test('lists dead letters newest first, in pages, without their bodies', async () => {
    const ids: number[] = []
    for (const error of ['a', 'b', 'c', 'd', 'e'])
      ids.unshift(await insertDelivery(db, 'dead', { error, body: 'canary' }))
    await insertDelivery(db, 'new')
    await insertDelivery(db, 'parked')
    const url = await start()
    const first = await get(`${url}/dead-letters?limit=3`)
    expect(first.dead_letters.map((letter: { id: number }) => letter.id)).toEqual(ids.slice(0, 3))
    expect(first.dead_letters[0]).toEqual({
      id: ids[0],
      received_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      error: 'e',
      bytes: 6,
      requeues: 0,
    })
    const second = await get(`${url}/dead-letters?limit=3&before=${first.next_before}`)
    expect(second.dead_letters.map((letter: { id: number }) => letter.id)).toEqual(ids.slice(3))
    expect(second.next_before).toBeNull()
    expect((await get(`${url}/dead-letters`)).dead_letters.length).toBe(5)
  })

  test('shows one dead letter with its exact bytes', async () => {
    const body = 'not JSON \u0000 é'
    const id = await insertDelivery(db, 'dead', { body })
    const letter = await get(`${await start()}/dead-letters/${id}`)
    expect(letter).toMatchObject({ id, error: 'not JSON', bytes: Buffer.byteLength(body) })
    expect(Buffer.from(letter.body, 'base64').toString()).toBe(body)
  })

  test('replays one dead letter: it is new, due now, has no requeues and no attempts, and gets a job', async () => {
    const id = await insertDelivery(db, 'dead')
    await pool.query(`update inbox set requeues = 7, attempts = 3, due_at = now() + interval '1 day'`)
    const url = await start()
    const reply = await loggedIn(`${url}/dead-letters/${id}/replay`, { method: 'POST' })
    expect([reply.status, JSON.parse(reply.body)]).toEqual([200, { id, state: 'new' }])
    expect(enqueued()).toEqual([[id]])
    const { rows } = await pool.query(
      'select state, error, requeues, attempts, due_at <= now() as due from inbox',
    )
    expect(rows).toEqual([{ state: 'new', error: null, requeues: 0, attempts: 0, due: true }])
    expect((await loggedIn(`${url}/dead-letters/${id}/replay`, { method: 'POST' })).status).toBe(404)
    expect(enqueued().length).toBe(1)
  })

  const replayAll = async (url: string, query = '') => {
    const reply = await loggedIn(`${url}/dead-letters/replay${query}`, { method: 'POST' })
    return { status: reply.status, ...JSON.parse(reply.body) }
  }
  const insertMany = (count: number) =>
    pool.query(
      `insert into inbox (body, state, error, requeues, due_at)
       select '', 'dead', 'error ' || i % 2, 7, now() + interval '1 day' from generate_series(1, $1) i`,
      [count],
    )
  const newOnes = async () => {
    const { rows } = await pool.query(
      `select id from inbox where state = 'new' and error is null and requeues = 0 and due_at <= now() order by id`,
    )
    return rows.map(({ id }) => Number(id))
  }

  test('replays all dead letters in jobs of 100, and none at the second call', async () => {
    await insertMany(250)
    await insertDelivery(db, 'parked')
    const url = await start()
    expect(await replayAll(url)).toEqual({ status: 200, replayed: 250, next_after: null })
    expect(enqueued().map((ids) => ids.length)).toEqual([100, 100, 50])
    expect(enqueued().flat()).toEqual(await newOnes())
    expect(await replayAll(url)).toEqual({ status: 200, replayed: 0, next_after: null })
    expect(enqueued()).toHaveLength(3)
  })

  test('replays dead letters by reason, up to a limit, and says where to continue', async () => {
    await insertMany(250)
    const url = await start()
    const first = await replayAll(url, '?reason=or%201&limit=120')
    expect(first).toMatchObject({ replayed: 120, next_after: enqueued().flat().at(-1) })
    const second = await replayAll(url, `?reason=or%201&after=${first.next_after}`)
    expect(second).toMatchObject({ replayed: 5, next_after: null })
    expect((await newOnes()).length).toBe(125)
    expect((await get(`${url}/dead-letters`)).dead_letters[0].error).toBe('error 0')
  })

  test('replays a dead letter once that dies again meanwhile, and makes no more jobs after the queue refused one', async () => {
    await insertMany(250)
    let calls = 0
    const enqueue = async () => {
      calls += 1
      await pool.query(`update inbox set state = 'dead', error = 'again' where state = 'new'`)
      return false
    }
    const url = await start({ enqueue })
    expect(await replayAll(url)).toMatchObject({ replayed: 250, next_after: null })
    expect(calls).toBe(1)
  })

  test('logs who replayed dead letters, without their content', async () => {
    const lines: Record<string, unknown>[] = []
    const logged = createLogger({ logLevel: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) })
    const url = await start({ log: logged })
    const id = await insertDelivery(db, 'dead', { error: 'canary', body: 'canary' })
    await loggedIn(`${url}/dead-letters/${id}/replay`, { method: 'POST' })
    await insertDelivery(db, 'dead', { error: 'canary', body: 'canary' })
    await replayAll(url, '?reason=canary')
    expect(lines).toMatchObject([
      { user: LOGIN.user, delivery: id },
      { user: LOGIN.user, replayed: 1 },
    ])
    expect(JSON.stringify(lines)).not.toContain('canary')
  })

  test('logs who had the text of a dead letter shown, without the text', async () => {
    const lines: Record<string, unknown>[] = []
    const logged = createLogger({ logLevel: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) })
    const url = await start({ log: logged })
    const id = await insertDelivery(db, 'dead', { error: 'canary', body: 'canary' })
    await get(`${url}/dead-letters`)
    expect(lines).toEqual([])
    await get(`${url}/dead-letters/${id}`)
    expect(lines).toMatchObject([{ user: LOGIN.user, delivery: id }])
    expect(JSON.stringify(lines)).not.toContain('canary')
  })

  test.each(['new', 'parked'])('neither shows nor replays a delivery that is %s', async (state) => {
    const id = await insertDelivery(db, state)
    const url = await start()
    expect((await loggedIn(`${url}/dead-letters/${id}`)).status).toBe(404)
    expect((await loggedIn(`${url}/dead-letters/${id}/replay`, { method: 'POST' })).status).toBe(404)
    const { rows } = await pool.query('select state from inbox')
    expect(rows).toEqual([{ state }])
  })

  test.each([
    ['GET', '/dead-letters/x', 422],
    ['GET', '/dead-letters/0', 422],
    ['GET', '/dead-letters/-1', 422],
    ['GET', '/dead-letters/1.5', 422],
    ['GET', '/dead-letters/99999999999999999999', 422],
    ['POST', '/dead-letters/x/replay', 422],
    ['POST', '/dead-letters/replay?limit=0', 422],
    ['POST', '/dead-letters/replay?limit=10001', 422],
    ['POST', '/dead-letters/replay?after=x', 422],
    ['POST', '/dead-letters/replay?reason=', 422],
    ['POST', '/dead-letters/replay?reason=a&reason=b', 422],
    ['GET', '/dead-letters?limit=0', 422],
    ['GET', '/dead-letters?limit=201', 422],
    ['GET', '/dead-letters?limit=', 422],
    ['GET', '/dead-letters?before=x', 422],
    ['GET', '/dead-letters?before=1&before=2', 422],
    ['GET', '/dead-letters/999999999', 404],
    ['POST', '/dead-letters/999999999/replay', 404],
    ['PUT', '/dead-letters/1', 404],
    ['GET', '/nowhere', 404],
  ])('answers %s %s with %i in the common error shape', async (method, path, status) => {
    const reply = await loggedIn((await start()) + path, { method })
    expect(reply.status).toBe(status)
    expect(JSON.parse(reply.body)).toEqual({
      error_code: status * 10_000 + 1,
      error_message: expect.stringMatching(/^[A-Z_]+$/),
      error_description: expect.any(String),
      payload: {},
    })
  })
})
