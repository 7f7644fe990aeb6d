import { expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { startProcess } from '../support/process.ts'

it('the console of the demo fills by itself: the sample customers of two orgs keep writing', async () => {
  const { url, pool } = await createTestDatabase()
  const env = { DATABASE_URL: url, PORT: '0', OPS_PORT: '0', OPS_PASSWORD: 'pass' }
  const demo = startProcess('workers/demo.js', [], env)
  const [, console = ''] = await demo.printed(/console +(http:\S+\/console) +\(user demo, password pass\)/)
  const headers = { authorization: `Basic ${Buffer.from('demo:pass').toString('base64')}` }
  const page = async () => (await fetch(console, { headers })).text()
  const rows = async () => (await page()).match(/<li data-key=/g)?.length ?? 0
  const first = await rows()
  await expect.poll(rows).toBeGreaterThan(first + 3)
  const stuck = async () => (await fetch(`${console}/stuck`, { headers })).text()
  await expect.poll(stuck).toContain('phone:unprovisioned-')
  await expect.poll(stuck).toContain('Replay all')
  const orgs = async () => (await pool.query('select distinct org_id from messages')).rowCount
  await expect.poll(orgs).toBe(2)
  expect(await demo.stop()).toBe(0)
})

it('the webhook endpoint of the demo gets the events of all messages, and their signatures fit', async () => {
  const { url } = await createTestDatabase()
  const demo = startProcess('workers/demo.js', ['--once'], { DATABASE_URL: url })
  expect(await demo.exited(), demo.output()).toBe(0)
  expect(demo.output()).toMatch(/webhook endpoint http:\S+ got \d+ events; the signatures of all of them fit/)
  expect(demo.output()).toMatch(/message\.held +2\n/)
})

it('a second demo uses the sample orgs of the first one, and plays its scenes again', async () => {
  const { url, pool } = await createTestDatabase()
  for (const run of ['first', 'second']) {
    const demo = startProcess('workers/demo.js', ['--once'], { DATABASE_URL: url })
    expect([run, await demo.exited()], demo.output()).toEqual([run, 0])
  }
  const { rows } = await pool.query('select name from orgs')
  expect(rows).toEqual([{ name: 'Sample org' }])
})
