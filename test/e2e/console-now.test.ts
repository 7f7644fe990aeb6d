import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../support/app.ts'
import { findChromium, startBrowser, visit } from '../support/browser.ts'
import { createOrgs } from '../support/org.ts'
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
})
