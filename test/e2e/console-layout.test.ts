import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { findChromium, startBrowser, visit } from '../support/browser.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver, store } from '../support/inbox.ts'
import { layoutFaults } from '../support/layout.ts'
import { LOGIN, startOps } from '../support/ops.ts'
import { createOrg, createRoom, provisionOrg, type TestOrg } from '../support/org.ts'
import { subscribe } from '../support/push.ts'
import { ago } from '../support/time.ts'
import { startWebhookReceiver } from '../support/webhook-receiver.ts'
import { message, post } from '../support/webhooks.ts'

const LONG = 'Maria-Magdalena von Hohenlohe-Langenburg Sayn-Wittgenstein'
const CUSTOMER = '+5511987654321'

let browser: Browser

beforeAll(async () => {
  if (findChromium()) browser = await startBrowser()
})

afterAll(() => browser?.close())

/** Chatrooms in each state, a message that could not be sent, messages that are held, and everything that can be stuck. */
async function writeConversations(db: Db, org: TestOrg): Promise<{ dead: number }> {
  const [phone = ''] = org.phones
  await createRoom(db, org, { customer: CUSTOMER, deactivatedAt: ago(1) })
  await createRoom(db, org, { customer: '+13125550002', expiredAt: ago(2) })
  const known = [CUSTOMER, '+13125550002'].map((from) =>
    message({ from: from.slice(1), userId: `BR.${from.slice(1)}9876543210987654321` }),
  )
  const strange = message({ from: '', userId: 'US.ENT.13491208655302741918', type: 'interactive' })
  await deliver(db, post(phone, ...known, strange), post('109876543210987', message({})))
  await db.$client.query(
    `update contacts set first_name = $1, last_name = $1, crm_id = right(id::text, 12) || $1`,
    [LONG],
  )
  await db.$client.query(`update outbox set state = 'unknown'`)
  const [dead = 0] = await store(db, Buffer.from('no JSON'), Buffer.from(`{"a":"${'x'.repeat(200)}"}`))
  await db.$client.query(
    `update inbox set state = 'dead', error = 'the body is no JSON: unexpected token at 0' where id >= $1`,
    [dead],
  )
  return { dead }
}

/** A stopped number, a number that moved, a user who left, and webhooks that were refused. */
async function writeOddities(db: Db, org: TestOrg): Promise<void> {
  await db.$client.query(
    `insert into chatroom_members (org_id, chatroom_id, user_id) select org_id, id, 'ann' from chatrooms`,
  )
  const replaced = {
    id: '209876543210987',
    replaces: org.phones[0],
    display_phone_number: '+55 11 4002-8922',
  }
  const wabas = [{ id: '309876543210987', name: LONG, phones: [replaced] }]
  await provisionOrg(db, { id: org.id, name: LONG, wabas, users: [{ id: 'ann', removed: true }] })
  await db.$client.query(
    `update waba_phones set stopped_at = now(), stopped_reason = 'the token was refused: 190, session expired'`,
  )
  await db.$client.query(
    `insert into webhook_refusals (reason, refused, since, last_at) values ('signature', 12345, now(), now())`,
  )
}

describe.runIf(findChromium() !== undefined)('the pages of the console, in a browser', () => {
  it('cut nothing off and let nothing collide, from a small phone to a large screen', async () => {
    const { db } = await createTestDatabase()
    const org = await createOrg(db, { auto_reply_text: 'closed', inactivity_days: 30, expiry_days: 100 })
    const { dead } = await writeConversations(db, org)
    await writeOddities(db, org)
    const receiver = await startWebhookReceiver('file')
    const { endpointId } = await subscribe(db, org, receiver, { description: LONG })
    const examine = async () => [
      { name: 'Node', status: 'warning' as const, found: LONG, remedy: `set ${'A'.repeat(60)}` },
    ]
    const baseURL = await startOps(db, { examine })
    const httpCredentials = { username: LOGIN.user, password: LOGIN.password }
    const { page } = await visit(browser, { baseURL, httpCredentials })
    const faults: Record<string, string[]> = {}
    for (const path of [
      ...['', `/customer?q=${encodeURIComponent(CUSTOMER)}&text=show`, '/customer?q=nobody', '/stuck'],
      ...[`/stuck/${dead}`, '/stuck/dead?replayed=1&first=1&last=9', '/lifecycle', '/webhooks', '/doctor'],
      ...['/stuck/sends', '/stuck/parked', '/stuck/held?reason=x&age=over-1d', '/stuck/held'],
      ...['/team', `/team?org=${org.id}`, `/webhooks/${org.id}/${endpointId}`],
    ]) {
      await page.goto(`/console${path}`)
      if (path === '/lifecycle') await page.getByText('As a table').click()
      const found = await layoutFaults(page)
      if (found.length > 0) faults[path] = found
    }
    expect(faults).toEqual({})
  })
})
