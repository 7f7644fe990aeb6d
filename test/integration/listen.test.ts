import { expect, it, onTestFinished } from 'vitest'
import { createListener } from '../../src/db/listen.ts'
import { createTestDatabase } from '../support/database.ts'

const { url, pool } = await createTestDatabase()

const tell = (word: string) => pool.query(`select pg_notify('words', $1)`, [word])
const listening = async () =>
  (
    await pool.query(`select pid from pg_stat_activity where application_name = 'usher-listener'
    and datname = current_database() and query ilike 'listen%' and state = 'idle'`)
  ).rows
const untilListening = () => expect.poll(async () => (await listening()).length).toBe(1)

function open(onPayload: (word: string) => Promise<void>) {
  const listener = createListener(url, 'words', onPayload)
  onTestFinished(listener.close)
  listener.open()
  return listener
}

it('hears what is told on its channel, once however often it is opened', async () => {
  const heard: string[] = []
  const listener = open(async (word) => void heard.push(word))
  listener.open()
  await untilListening()
  await tell('a')
  await pool.query(`select pg_notify('other words', 'b')`)
  await tell('c')
  await expect.poll(() => heard).toEqual(['a', 'c'])
  expect(await listening()).toHaveLength(1)
})

it('hears again after its connection was lost', async () => {
  const heard: string[] = []
  open(async (word) => void heard.push(word))
  await untilListening()
  await pool.query('select pg_terminate_backend($1)', [(await listening())[0].pid])
  await expect
    .poll(async () => tell('again').then(() => heard.length), { timeout: 15_000 })
    .toBeGreaterThan(0)
}, 20_000)

it('closes when what it heard is done with, and hears no more until opened again', async () => {
  const heard: string[] = []
  let finish = () => {}
  const work = new Promise<void>((resolve) => {
    finish = resolve
  })
  const listener = open((word) => {
    heard.push(word)
    return work
  })
  await untilListening()
  await tell('a')
  await expect.poll(() => heard).toEqual(['a'])
  let closed = false
  const closing = listener.close().then(() => {
    closed = true
  })
  await expect.poll(async () => (await listening()).length).toBe(0)
  expect(closed).toBe(false)
  finish()
  await closing
  await tell('b')
  listener.open()
  await untilListening()
  await tell('c')
  await expect.poll(() => heard).toEqual(['a', 'c'])
})
