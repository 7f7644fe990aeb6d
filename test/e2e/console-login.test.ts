import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp } from '../support/app.ts'
import { accessibilityFaults, findChromium, startBrowser, visit } from '../support/browser.ts'
import { layoutFaults } from '../support/layout.ts'
import { HASH, PASSWORD, usersFile } from '../support/logins.ts'
import { createOrg, SECRETS_KEY } from '../support/org.ts'

let browser: Browser

beforeAll(async () => {
  if (findChromium()) browser = await startBrowser()
})

afterAll(() => browser?.close())

/** Usher with two people who may log in; gives the address of its internal listener. */
async function start() {
  const { path } = await usersFile(
    `ann.with-a-long-name@example.com operator * ${HASH}`,
    `ben viewer * ${HASH}`,
  )
  const app = await startTestApp('postgres', { SECRETS_KEY, OPS_USERS_FILE: path })
  await createOrg(app.db)
  return app.opsUrl
}

describe.runIf(findChromium() !== undefined)('the login, in a browser', () => {
  it('leads a viewer by the keyboard alone to the page that was asked for, and out again', async () => {
    const { page, problems } = await visit(browser, { baseURL: await start() })
    await page.goto('/console/stuck')
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    await page.getByLabel('Name').focus()
    await page.keyboard.type('ben')
    await page.keyboard.press('Tab')
    await page.keyboard.type('wrong')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('The name or the password is wrong.').waitFor()
    expect(await page.getByLabel('Name').inputValue()).toBe('ben')
    expect(problems.splice(0)).toEqual([expect.stringContaining('401')])
    await page.getByLabel('Password').focus()
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/console/stuck')
    await page.getByText('read-only').waitFor()
    await page.goto('/console')
    await page.locator('#live:not(.lost)').waitFor()
    await page.getByRole('button', { name: 'Log out' }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('You are logged out.').waitFor()
    await page.goto('/console')
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    expect(problems).toEqual([])
  })

  it('works without JavaScript', async () => {
    const { page } = await visit(browser, { baseURL: await start(), javaScriptEnabled: false })
    await page.goto('/queues/')
    await page.getByLabel('Name').fill('ben')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.waitForURL('**/queues/')
  })

  it('is usable by everybody, light and dark, and fits from a small phone to a large screen', async () => {
    const { page } = await visit(browser, { baseURL: await start() })
    await page.goto('/login')
    await page.getByLabel('Name').fill('nobody')
    await page.getByLabel('Password').fill('wrong')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('alert').waitFor()
    const check = async () => {
      const found = await layoutFaults(page)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        found.push(...(await accessibilityFaults(page, colorScheme)))
      }
      return found
    }
    expect(await check()).toEqual([])
    await page.getByLabel('Name').fill('ann.with-a-long-name@example.com')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'Now', exact: true }).waitFor()
    expect(await check()).toEqual([])
  })
})
