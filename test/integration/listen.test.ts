import { expect, it, onTestFinished } from 'vitest'
import { createListener } from '../../src/db/listen.ts'
import { createTestDatabase } from '../support/database.ts'

const { url, pool } = await createTestDatabase()

const notify = (word: string) => pool.query(`select pg_notify('words', $1)`, [word])
/** Connections that listen; two seconds later their last query is the one that proves them. */
const listening = async () =>
  (
    await pool.query(`select pid from pg_stat_activity where application_name = 'usher-listener'
    and datname = current_database() and (query ilike 'listen%' or query = 'select 1') and state = 'idle'`)
  ).rows
const untilListening = () => expect.poll(async () => (await listening()).length).toBe(1)

function open(onPayload: (word: string) => Promise<void>) {
  const listener = createListener(url, 'words', onPayload)
  onTestFinished(listener.close)
  listener.open()
  return listener
}

it('a listener receives each notification of its channel once, also if it was opened twice', async () => {
  const received: string[] = []
  const listener = open(async (word) => void received.push(word))
  listener.open()
  await untilListening()
  await notify('a')
  await pool.query(`select pg_notify('other words', 'b')`)
  await notify('c')
  await expect.poll(() => received).toEqual(['a', 'c'])
  expect(await listening()).toHaveLength(1)
})

it('a listener receives notifications again after its connection was lost', async () => {
  const received: string[] = []
  open(async (word) => void received.push(word))
  await untilListening()
  await pool.query('select pg_terminate_backend($1)', [(await listening())[0].pid])
  await expect.poll(async () => notify('again').then(() => received.length)).toBeGreaterThan(0)
})

it('a listener closes when its handlers have ended, and receives nothing until it is opened again', async () => {
  const received: string[] = []
  let finish = () => {}
  const work = new Promise<void>((resolve) => {
    finish = resolve
  })
  const listener = open((word) => {
    received.push(word)
    return work
  })
  await untilListening()
  await notify('a')
  await expect.poll(() => received).toEqual(['a'])
  let closed = false
  const closing = listener.close().then(() => {
    closed = true
  })
  await expect.poll(async () => (await listening()).length).toBe(0)
  expect(closed).toBe(false)
  finish()
  await closing
  await notify('b')
  listener.open()
  await untilListening()
  await notify('c')
  await expect.poll(() => received).toEqual(['a', 'c'])
})
