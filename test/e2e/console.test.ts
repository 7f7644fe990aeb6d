import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAudiences } from '../../src/demo/keep-alive.ts'
import { createSampleOrg, createSampleShop } from '../../src/demo/sample-org.ts'
import { startStandInGraph } from '../../src/demo/stand-in-graph.ts'
import { startTraffic } from '../../src/demo/traffic.ts'
import { projectRoot } from '../../src/project-root.ts'
import { SCHEDULES } from '../../src/queue/schedules.ts'
import { engines, startTestApp, type TestApp } from '../support/app.ts'
import { accessibilityFaults, findChromium, startBrowser, type Visit, visit } from '../support/browser.ts'
import { createOrg, createRoom, SECRETS_KEY } from '../support/org.ts'
import { fixedTexts, recordedTexts, recordTexts } from '../support/pictures.ts'
import { subscribe } from '../support/push.ts'
import { answers, startWebhookReceiver, takes } from '../support/webhook-receiver.ts'
import { message, post } from '../support/webhooks.ts'

const httpCredentials = { username: 'ops', password: 'ops-password' }
const PHONE = { width: 390, height: 844 }
const SECRET_TEXT = 'canary-text-of-a-customer'
const HOUR = 3_600_000
const KEY = Buffer.alloc(32, 7)

let browser: Browser

// Chromium is not on every machine: the global setup says so where it is not.
const withChromium = describe.runIf(findChromium() !== undefined)

beforeAll(async () => {
  if (findChromium()) browser = await startBrowser()
})

afterAll(() => browser?.close())

/** A customer who was put to sleep, wrote, and woke a chatroom. */
async function reactivate(app: TestApp, number = '+1 555 078 3881') {
  const org = await createOrg(app.db)
  await app.db.$client.query('update waba_phones set display_phone_number = $2 where org_id = $1', [
    org.id,
    number,
  ])
  const deactivatedAt = new Date(Date.now() - HOUR)
  const room = await createRoom(app.db, org, { customer: '+13125550123', deactivatedAt })
  const text = message({ from: '13125550123', body: SECRET_TEXT })
  return { org, room, text }
}

withChromium('the console, in a browser', () => {
  it('shows a message the moment it is routed, and why it woke its chatroom', async () => {
    const app = await startTestApp('postgres')
    const { org, text } = await reactivate(app)
    const { page, problems } = await visit(browser, { baseURL: app.opsUrl, httpCredentials })
    const stranger = await visit(browser, { baseURL: app.opsUrl })
    expect((await stranger.page.request.get('/console')).status()).toBe(401)
    await page.goto('/console')
    const row = page.locator('#feed li').filter({ hasText: '+1 312 555 0123' })
    expect(await row.count()).toBe(0)
    await page.locator('#live:not(.lost)').waitFor()
    expect(await app.post(post(org.phones[0]!, text))).toBe(200)
    await row.waitFor()
    expect(await row.textContent()).toContain('reactivated')
    expect(await row.textContent()).toContain('no active chatroom; the latest of 1 deactivated')
    await row.locator('.who').click()
    await page.getByRole('heading', { name: 'Timeline' }).waitFor()

    for (const spelling of ['+1 (312) 555-0123', '0013125550123', '312-555-0123']) {
      await page.getByLabel('Phone in any spelling').fill(spelling)
      await page.getByRole('button', { name: 'Search' }).click()
      await page.waitForURL((url) => url.searchParams.get('q') === spelling)
      await page.locator('.aliases').getByText('+13125550123').waitFor()
    }
    const woken = page.locator('.timeline li.reactivated')
    expect(await woken.textContent()).toContain(`Chatroom reactivated by message ${text.id}`)
    expect(await woken.textContent()).toContain('the customer wrote')
    expect(await page.locator('#forecast + .forecasts').textContent()).toContain('the active chatroom')

    expect(await page.content()).not.toContain(SECRET_TEXT)
    await page.getByRole('link', { name: 'Show text' }).click()
    await page.getByText(SECRET_TEXT).waitFor()
    expect(problems).toEqual([])
  })

  it('replays a dead letter, and tells how far it is', async () => {
    const app = await startTestApp('postgres')
    const { org, text } = await reactivate(app)
    await app.db.$client.query(
      `alter table messages add constraint no_canary check (payload::text not like '%canary%')`,
    )
    await app.post(post(org.phones[0]!, text))
    await app.drained()
    const { page, problems } = await visit(browser, { baseURL: app.opsUrl, httpCredentials })
    await page.goto('/console/stuck')
    const letter = page.getByRole('row').filter({ hasText: 'refused by the database' })
    await letter.getByRole('link').click()
    await page.getByRole('heading', { name: 'Payload' }).waitFor()
    expect(await page.content()).not.toContain('canary')
    await app.db.$client.query('alter table messages drop constraint no_canary')
    await page.getByRole('button', { name: 'Replay' }).click()
    await page.getByText('1 replayed: 1 processed').waitFor()
    await page.reload()
    expect(await letter.count()).toBe(0)
    await page.goto(`/console/customer?q=${text.id}`)
    await page.locator('.timeline li.reactivated').waitFor()
    expect(problems).toEqual([])
  })

  it('tests a webhook endpoint, enables one that was disabled, and replays what it missed', async () => {
    const app = await startTestApp('postgres', { SECRETS_KEY, WEBHOOK_ALLOW_PRIVATE: 'true' })
    const { org, text } = await reactivate(app)
    const receiver = await startWebhookReceiver()
    receiver.set(answers(410))
    await subscribe(app.db, org, receiver)
    await app.post(post(org.phones[0]!, text))
    const { page, problems } = await visit(browser, { baseURL: app.opsUrl, httpCredentials })
    await expect
      .poll(async () => (await page.goto('/console/webhooks')) && page.getByText('answered 410 Gone').count())
      .toBe(1)
    await page.getByRole('link', { name: receiver.url }).click()
    const requests = page.getByRole('table', { name: 'Last requests' }).getByRole('row')
    // The list of requests is written after the state of the endpoint.
    await expect
      .poll(async () => (await page.reload()) && requests.filter({ hasText: 'gone' }).count())
      .toBeGreaterThan(0)
    expect(await page.content()).not.toContain(SECRET_TEXT)

    receiver.set(takes)
    await page.getByRole('button', { name: 'Test' }).click()
    await requests.filter({ hasText: 'webhook.test' }).filter({ hasText: 'delivered' }).waitFor()
    await page.getByRole('button', { name: 'Enable' }).click()
    await page.getByText('enabled', { exact: true }).waitFor()
    const messages = () =>
      receiver
        .taken()
        .filter(({ event: { type, data } }) => type === 'message.received' && data.wamid === text.id)
    await expect.poll(() => messages().length).toBe(1)
    await page.getByLabel('Post once more').selectOption('the last 24 h')
    await page.getByRole('button', { name: 'Replay' }).click()
    await expect.poll(() => messages().length).toBe(2)
    await expect
      .poll(async () => (await page.goto('/console/webhooks')) && page.getByText('nothing waits').count())
      .toBe(1)
    expect(problems).toEqual([])
  })

  it('is usable by everybody: no moderate or serious fault of accessibility, light and dark, by keyboard, on a phone', async () => {
    const app = await startTestApp('postgres', { SECRETS_KEY, WEBHOOK_ALLOW_PRIVATE: 'true' })
    const { org, text } = await reactivate(app)
    const strange = message({ from: '15557770001' })
    await app.post(post(org.phones[0]!, text, strange))
    await app.post(post('nobody-knows', message({})))
    await app.post(Buffer.from('no JSON'))
    await app.drained()
    const receiver = await startWebhookReceiver()
    receiver.set(answers(500))
    const { endpointId } = await subscribe(app.db, org, receiver)
    await app.post(post(org.phones[0]!, message({ from: '13125550123' })))
    await expect.poll(() => receiver.received.length).toBeGreaterThan(0)
    const { rows } = await app.db.$client.query(`select id from inbox where state = 'dead'`)
    const pages = [
      ...['/console', `/console/customer?q=${text.id}`, '/console/stuck', `/console/stuck/${rows[0].id}`],
      ...[
        '/console/stuck/dead?replayed=1&first=1&last=9',
        ...['sends', 'parked', 'held?reason=x'].map((list) => `/console/stuck/${list}`),
        '/console/team',
        `/console/team?org=${org.id}`,
        '/console/lifecycle',
        '/console/webhooks',
        `/console/webhooks/${org.id}/${endpointId}?text=show`,
        '/console/doctor',
        `${app.url}/docs`,
      ],
    ]
    const faults: Record<string, string[]> = {}
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, problems } = await visit(browser, { baseURL: app.opsUrl, httpCredentials, colorScheme })
      for (const path of pages) {
        await page.goto(path)
        faults[`${colorScheme} ${path}`] = [
          ...(await accessibilityFaults(page, colorScheme)),
          ...problems.splice(0),
        ]
      }
    }
    expect(Object.entries(faults).filter(([, found]) => found.length > 0)).toEqual([])
    await expectNoSidewaysScroll(app, [`${app.url}/docs`])
    await searchByKeyboard(app)
  })

  it('has its pictures taken, and those in docs/ say what the pages say: SCREENSHOTS=1 takes them anew', async () => {
    const graph = await startStandInGraph()
    const env = { SECRETS_KEY: KEY.toString('base64'), GRAPH_API_URL: graph.url }
    const app = await startTestApp('postgres', env)
    const stop = await startSampleTraffic(app)
    const temporary = await mkdtemp(join(tmpdir(), 'usher-shots-'))
    const folder = process.env.SCREENSHOTS ? join(projectRoot(), 'docs') : temporary
    const desk = await visit(browser, { baseURL: app.opsUrl, httpCredentials })
    const phone = await visit(browser, {
      ...{ baseURL: app.opsUrl, httpCredentials, viewport: PHONE, colorScheme: 'dark' },
    })
    await Promise.all([desk.page.goto('/console'), phone.page.goto('/console')])
    await expect.poll(() => desk.page.locator('#feed li.new').count()).toBeGreaterThan(2)
    // A picture for people has a while of traffic in it.
    if (process.env.SCREENSHOTS) await desk.page.waitForTimeout(50_000)
    const texts: Record<string, string[]> = {}
    const shoot = async ({ page }: Visit, name: string) => {
      await page.screenshot({ path: join(folder, `${name}.png`) })
      texts[name] = await fixedTexts(page)
    }
    await shoot(desk, 'console-now')
    await shoot(phone, 'console-phone')
    await desk.page.goto('/console/customer?q=%2B919820010111#rooms')
    await shoot(desk, 'console-customer')
    await desk.page.goto('/console/lifecycle')
    await desk.page.locator('.chart').waitFor()
    await shoot(desk, 'console-lifecycle')
    stop()
    graph.stop()
    expect([...desk.problems, ...phone.problems]).toEqual([])
    if (process.env.SCREENSHOTS) await recordTexts(texts)
    expect(texts).toEqual(await recordedTexts())
    await rm(temporary, { recursive: true })
  })
})

/** The sample orgs of the demo, with customers who keep writing. */
async function startSampleTraffic(app: TestApp): Promise<() => void> {
  const now = new Date()
  const org = await createSampleOrg(app.db, 'sample', now, KEY)
  const audiences = await createAudiences(app.db, org, await createSampleShop(app.db, 'sample', KEY), now)
  return startTraffic(app.db, audiences, (body) => app.post(body))
}

async function expectNoSidewaysScroll(app: TestApp, pages: string[]): Promise<void> {
  const { page } = await visit(browser, { baseURL: app.opsUrl, httpCredentials, viewport: PHONE })
  const wide: string[] = []
  for (const path of pages) {
    await page.goto(path)
    const over = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    if (over > 0) wide.push(`${path} by ${over} px`)
  }
  expect(wide).toEqual([])
}

/** From the address bar to a customer's timeline without a mouse. */
async function searchByKeyboard(app: TestApp): Promise<void> {
  const { page } = await visit(browser, { baseURL: app.opsUrl, httpCredentials })
  await page.goto('/console')
  await page.keyboard.press('Tab')
  expect(await focused(page)).toBe('Skip to content')
  await tabTo(page, 'Customer')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Customer', exact: true }).waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await tabTo(page, '')
  await page.keyboard.type('+13125550123')
  await page.keyboard.press('Enter')
  await page.locator('.timeline li.reactivated').waitFor()
}

const focused = (page: Page) =>
  page.evaluate<string>('document.activeElement.textContent.trim() || document.activeElement.name || ""')

async function tabTo(page: Page, text: string): Promise<void> {
  const wanted = text || 'q'
  for (let presses = 0; presses < 15; presses += 1) {
    await page.keyboard.press('Tab')
    if ((await focused(page)) === wanted) return
  }
  throw new Error(`the keyboard does not reach ${wanted}`)
}

withChromium.each(engines())('Bull Board, in a browser, queue on %s', (engine) => {
  it('shows queues and schedulers, and retries a failed job', async () => {
    const app = await startTestApp(engine)
    const { page, problems } = await visit(browser, { baseURL: app.opsUrl, httpCredentials })
    await expect.poll(async () => (await page.goto('/queues/'))?.status()).toBe(200)
    // Bull Board answers 503 until the queues are connected, which the browser reports as a problem.
    problems.splice(0)
    for (const name of ['deliveries', 'outbound', 'webhooks', 'maintenance']) {
      await page.getByRole('link', { name }).first().waitFor()
    }
    await page.goto('/queues/job-schedulers?queueName=maintenance')
    const schedulers = page.getByRole('row')
    await schedulers.filter({ hasText: 'requeue-stranded' }).waitFor()
    // A job that is just due is shown as such until the page is refreshed, which it does by itself.
    await expect
      .poll(() => page.getByText(/^in (\d+|an?|about \d+) (second|minute|hour)s?$/).count())
      .toBe(SCHEDULES.length)

    // A job that fails, until what it needs is there again.
    await app.db.$client.query('alter table rate_limits rename to rate_limits_away')
    const job = { name: 'purge', data: {}, options: { attempts: 1 } }
    const added = await page.request.post('/queues/api/queues/maintenance/add', { data: job })
    expect(added.status()).toBe(200)
    await page.goto('/queues/queue/maintenance?status=failed')
    await page.getByText('database error 42P01').first().waitFor()
    expect(await page.content()).not.toContain('rate_limits')
    await app.db.$client.query('alter table rate_limits_away rename to rate_limits')
    await page.locator('button:has(.lucide-refresh-cw):not(:has-text("Retry all"))').first().click()
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.getByText('database error 42P01').first().waitFor({ state: 'detached' })
    await expect
      .poll(async () => {
        const { queues } = await (await page.request.get('/queues/api/queues')).json()
        return queues.find((queue: { name: string }) => queue.name === 'maintenance').counts.failed
      })
      .toBe(0)
    expect(problems).toEqual([])
  })
})
