import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { createRefusalReport } from '../../src/receiver/refusals.ts'
import { send } from '../support/http.ts'
import { loggedIn, startOps } from '../support/ops.ts'
import { startReceiver, VERIFY_TOKEN } from '../support/receiver.ts'

const { database, hook, logged } = await startReceiver()
const ops = await startOps(database.db)
const lines = () =>
  logged()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

/** The first page of the console, without its markup. */
const readConsole = async () =>
  (await loggedIn(`${ops}/console`)).body.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

const handshake = (token: string) =>
  send(`${hook}?hub.mode=subscribe&hub.challenge=1&hub.verify_token=${encodeURIComponent(token)}`)

describe('requests that prove no secret', () => {
  test('leave no card in the console as long as there are none, nor does a GET that is no handshake', async () => {
    expect((await handshake(VERIFY_TOKEN)).status).toBe(200)
    expect((await send(hook)).status).toBe(403)
    expect(logged()).toBe('')
    expect(await readConsole()).not.toContain('Refused webhooks')
  })

  test('leave one warning a minute with a remedy and no value, and a card in the console', async () => {
    const forged = { 'x-hub-signature-256': `sha256=${'ab'.repeat(32)}` }
    for (let i = 0; i < 20; i += 1) {
      const reply = await send(hook, { method: 'POST', headers: forged, body: Buffer.from('canary-body') })
      expect(reply.status).toBe(401)
      expect((await handshake('canary-token')).status).toBe(403)
    }
    expect(lines().map(({ level, refused }) => [level, refused])).toEqual([
      [40, 1],
      [40, 1],
    ])
    expect(lines()[0].msg).toContain('META_APP_SECRET')
    expect(lines()[1].msg).toContain('META_VERIFY_TOKEN')
    expect(logged()).not.toMatch(/canary|abab/)
    await expect
      .poll(readConsole)
      .toMatch(
        /Refused webhooks 2 wrong verify token: 1 since .*META_VERIFY_TOKEN.* wrong signature: 1 since/,
      )
  })

  test('are counted anew, and leave the console, an hour after the last one', async () => {
    await database.pool.query(
      `update webhook_refusals set refused = 7, last_at = last_at - interval '61 minutes', since = since - interval '1 day'`,
    )
    expect(await readConsole()).not.toContain('Refused webhooks')
    createRefusalReport(database.db, pino({ level: 'silent' }))('signature')
    await expect.poll(readConsole).toMatch(/Refused webhooks 1 wrong signature: 1 since/)
    createRefusalReport(database.db, pino({ level: 'silent' }))('signature')
    await expect.poll(readConsole).toMatch(/Refused webhooks 2 wrong signature: 2 since/)
  })
})
