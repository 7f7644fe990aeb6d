import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../support/app.ts'
import { findChromium, startBrowser, visit } from '../support/browser.ts'
import { createOrg, createOrgs, createRoom } from '../support/org.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { message, post } from '../support/webhooks.ts'

const httpCredentials = { username: 'ops', password: 'ops-password' }

let browser: Browser

beforeAll(async () => {
  if (findChromium()) browser = await startBrowser()
})

afterAll(() => browser?.close())

/** The messages that the feed shows, from top to bottom. */
const shownIn = (page: Page) =>
  page.locator('#feed li').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-key')))

/** The messages that the feed must show: the latest 60 of all orgs, the newest first. */
async function latestIn({ db }: TestApp): Promise<string[]> {
  const { rows } = await db.$client.query(
    `select org_id || ' ' || wamid as key from messages where route is not null order by seq desc limit 60`,
  )
  return rows.map(({ key }) => key)
}

describe.runIf(findChromium() !== undefined)('the live feed, in a browser', () => {
  it('is in order when it connects, after a pause and when it connects again, with quiet orgs beside a busy one', async () => {
    const app = await startTestApp('postgres')
    const [busy, ...quiet] = await createOrgs(app.db, 4)
    const write = async (n: number) => {
      await app.post(post(busy!.phones[0]!, ...Array.from({ length: n }, () => message({}))))
      await app.drained()
    }
    for (const { phones } of quiet) await app.post(post(phones[0]!, message({})))
    await app.drained()
    await write(70)
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: Number(new URL(app.opsUrl).port) })
    const { page } = await visit(browser, { baseURL: `http://127.0.0.1:${proxy.port}`, httpCredentials })
    const expectLatest = async () => expect.poll(() => shownIn(page)).toEqual(await latestIn(app))
    const state = page.locator('#live')
    await page.goto('/console')
    await state.getByText('live', { exact: true }).waitFor()
    await write(1)
    await expectLatest()

    await page.getByRole('button', { name: 'Pause' }).click()
    await state.getByText('paused, no messages wait').waitFor()
    const before = await shownIn(page)
    await write(2)
    await state.getByText('paused, 2 messages wait').waitFor()
    await write(3)
    await state.getByText('paused, 5 messages wait').waitFor()
    expect(await shownIn(page)).toEqual(before)
    await proxy.set('refuse')
    await state.getByText('not connected, 5 messages wait').waitFor()
    await proxy.set('pass')
    await state.getByText('paused, 5 messages wait').waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await state.getByText('live', { exact: true }).waitFor()
    await expectLatest()

    await proxy.set('refuse')
    await state.getByText('not connected', { exact: true }).waitFor()
    await write(4)
    await proxy.set('pass')
    await expectLatest()
    await proxy.close()
  })

  it('shows phones, local times and whose chatroom a message is in, and shows only what the filters in the address ask for', async () => {
    const app = await startTestApp('postgres')
    const org = await createOrg(app.db, {}, { phones: 2 })
    const room = await createRoom(app.db, org, { customer: '+13125550123' })
    await app.db.$client.query(
      `insert into chatroom_members (org_id, chatroom_id, user_id) values ($1, $2, 'ann')`,
      [org.id, room.id],
    )
    const write = async (from: string, type: string) => {
      const written = message({ from, type, extra: { [type]: { id: '1' } } })
      await app.post(post(org.phones[0]!, written))
      await app.drained()
      return `${org.id} ${written.id}`
    }
    const known = await write('13125550123', 'text')
    const held = [await write('13125550999', 'image')]
    await write('13125550999', 'audio')
    const timezoneId = 'Asia/Kathmandu'
    const { page, problems } = await visit(browser, { baseURL: app.opsUrl, httpCredentials, timezoneId })
    await page.goto('/console')
    const row = page.locator(`[data-key="${known}"]`)
    for (const part of ['+1 312 555 0123', `chatroom of crm-${room.contactId} with ann`])
      expect(await row.textContent()).toContain(part)
    const time = row.locator('time')
    const at = new Date((await time.getAttribute('datetime')) ?? '')
    expect(at.toLocaleString('sv-SE', { timeZone: timezoneId })).toContain(await time.textContent())
    expect(await time.getAttribute('title')).toBe(`${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`)
    const card = page.locator('.card').filter({ has: page.getByRole('link', { name: 'Held' }) })
    expect(await card.locator('.value').textContent()).toBe('2')

    await page.getByLabel('Decision').selectOption('held')
    await page.getByLabel('Type').selectOption('image')
    await page.getByRole('button', { name: 'Show' }).click()
    await page.waitForURL(/decision=held&type=image/)
    expect(await shownIn(page)).toEqual(held)
    await page.locator('#live').getByText('live', { exact: true }).waitFor()
    await write('13125550123', 'image')
    await write('13125550999', 'text')
    held.unshift(await write('13125550998', 'image'))
    await expect.poll(() => shownIn(page)).toEqual(held)
    await expect.poll(() => card.locator('.value').textContent()).toBe('4')

    await page.getByLabel('Number').selectOption({ index: 2 })
    await page.getByRole('button', { name: 'Show' }).click()
    await page.waitForURL(/number=phone/)
    await page.getByText('No message fits the filter among the latest 500 of each org.').waitFor()
    expect(problems).toEqual([])
  })
})
