import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { run } from '../../src/db/statement.ts'
import { queueMessages } from '../../src/outbound/queue-messages.ts'
import { findChromium, startBrowser, visit } from '../support/browser.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver, insertDelivery } from '../support/inbox.ts'
import { enter, tabTo, type } from '../support/keyboard.ts'
import { LOGIN, startOps } from '../support/ops.ts'
import { createOrg, createRoom, createSendingOrg, type TestOrg } from '../support/org.ts'
import { ago } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const PHONE = { width: 390, height: 844 }
const httpCredentials = { username: LOGIN.user, password: LOGIN.password }

let browser: Browser

beforeAll(async () => {
  if (findChromium()) browser = await startBrowser()
})

afterAll(() => browser?.close())

/** A console over a database of its own, on a phone. */
async function open(colorScheme: 'light' | 'dark') {
  const { db } = await createTestDatabase()
  const baseURL = await startOps(db)
  const { page, problems } = await visit(browser, { baseURL, httpCredentials, viewport: PHONE, colorScheme })
  return { db, page, problems }
}

const scrollsSideways = (page: Page) =>
  page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')

/** A message of a chatroom that ended in a state. */
async function endSend(db: Db, org: TestOrg, state: 'failed' | 'unknown') {
  const room = await createRoom(db, org, { customer: `+1312555000${state.length}`, lastInboundAt: ago(0) })
  const { id: roomId, customerId, wabaPhoneId: phoneId } = room
  const about = { kind: 'message' as const, origin: 'AGENT' as const, inReplyTo: null, reason: 'test' }
  const payload = { type: 'text', text: { body: 'x' } }
  const [row] = await run(
    db,
    queueMessages([{ orgId: org.id, roomId, customerId, phoneId, ...about, payload }]),
  )
  await db.$client.query(`update outbox set state = $2, error = 'why' where id = $1`, [row!.id, state])
  if (state === 'failed')
    await db.$client.query(`update messages set status = 'failed' where outbox_id = $1`, [row!.id])
  return { customerId, id: row!.id }
}

const retriesOf = async (db: Db, id: string) =>
  (await db.$client.query('select from messages where retry_of = $1', [id])).rowCount

const SCHEMES = ['light', 'dark'] as const

describe.runIf(findChromium() !== undefined).each(SCHEMES)('by keyboard only, on a phone, %s:', (scheme) => {
  it('a chatroom is deactivated, activated and reassigned, and a failed message sent again', async () => {
    const { db, page, problems } = await open(scheme)
    const org = await createSendingOrg(db)
    const { customerId, id } = await endSend(db, org, 'failed')
    await page.goto(`/console/customer?org=${org.id}&id=${customerId}`)
    await enter(page, 'Send message')
    expect(await retriesOf(db, id)).toBe(1)
    await enter(page, 'Deactivate the chatroom')
    await page.locator('#rooms ~ .sheet').getByText('deactivated', { exact: true }).waitFor()
    await enter(page, 'Activate the chatroom')
    await page.locator('#rooms ~ .sheet').getByText('active', { exact: true }).waitFor()
    await type(page, 'User for the chatroom', 'ann')
    await tabTo(page, 'when the customer writes next')
    await page.keyboard.press('Space')
    await enter(page, 'Reassign the chatroom')
    const { rows } = await db.$client.query(
      'select pending_user_id as next from chatrooms where org_id = $1',
      [org.id],
    )
    expect(rows).toEqual([{ next: 'ann' }])
    expect(await scrollsSideways(page)).toBe(false)
    expect(problems).toEqual([])
  })

  it('the page Team shows an org that was chosen', async () => {
    const { db, page, problems } = await open(scheme)
    const [, second] = [await createOrg(db), await createOrg(db)]
    await page.goto('/console/team')
    await tabTo(page, 'Org')
    const value = () => page.locator('select[name=org]').inputValue()
    for (let presses = 0; presses < 5 && (await value()) !== second.id; presses += 1)
      await page.keyboard.press('ArrowDown')
    await enter(page, 'Show')
    expect(new URL(page.url()).searchParams.get('org')).toBe(second.id)
    await page.getByRole('heading', { name: 'Waiting customers' }).waitFor()
    expect(await scrollsSideways(page)).toBe(false)
    expect(problems).toEqual([])
  })

  it('held messages are filtered by reason and age, and paged', async () => {
    const { db, page, problems } = await open(scheme)
    const org = await createOrg(db)
    const texts = Array.from({ length: 60 }, (_, i) => message({ from: `131255502${10 + i}` }))
    await deliver(db, post(org.phones[0]!, ...texts))
    await page.goto('/console')
    await enter(page, 'Held & dead')
    await enter(page, 'Show and filter all held messages')
    await type(page, 'Reason contains', 'until one is created')
    await tabTo(page, 'Age')
    await page.keyboard.press('ArrowDown')
    await enter(page, 'Show')
    expect(new URL(page.url()).search).toContain('reason=until+one+is+created&age=under-1h')
    await page.getByText('60 found').waitFor()
    await enter(page, 'Next page')
    expect(await page.locator('tbody tr').count()).toBe(10)
    expect(await scrollsSideways(page)).toBe(false)
    expect(problems).toEqual([])
  })

  it('dead letters are replayed, one and then all that fit a filter, with progress', async () => {
    const { db, page, problems } = await open(scheme)
    for (const error of ['one', 'refused', 'refused']) await insertDelivery(db, 'dead', { error })
    await page.goto('/console/stuck/dead')
    const [first] = (await db.$client.query(`select id from inbox where error = 'one'`)).rows
    await enter(page, `Replay delivery ${first.id}`)
    await page.getByText('1 replayed: 0 processed').waitFor()
    await type(page, 'Reason contains', 'refused')
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.searchParams.get('reason') === 'refused')
    await enter(page, 'Replay all that fit')
    await page.getByText('Finished: 2 of 2 replayed').waitFor()
    expect(await scrollsSideways(page)).toBe(false)
    expect(problems).toEqual([])
  })

  it('failed sends are sent again, unknown ones only with the box ticked', async () => {
    const { db, page, problems } = await open(scheme)
    const org = await createSendingOrg(db)
    const [failed, unknown] = [await endSend(db, org, 'failed'), await endSend(db, org, 'unknown')]
    await page.goto(`/console/stuck/sends?org=${org.id}`)
    await enter(page, `Send message ${failed.id} again`)
    await page.goto(`/console/stuck/sends?org=${org.id}&state=unknown`)
    await tabTo(page, 'may arrive twice')
    await page.keyboard.press('Space')
    await enter(page, 'Send again all that fit')
    await page.getByText('Finished: 1 of 1 sent again').waitFor()
    expect([await retriesOf(db, failed.id), await retriesOf(db, unknown.id)]).toEqual([1, 1])
    expect(await scrollsSideways(page)).toBe(false)
    expect(problems).toEqual([])
  })
})
