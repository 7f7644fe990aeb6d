import type { Page } from 'playwright-core'

/** Runs in the page: the name of the focused element, and whether people see that it has the focus. */
const FOCUSED = `(() => {
  const one = document.activeElement
  const field = one.closest('label')?.textContent.trim()
  const name = one.getAttribute('aria-label') ?? (one.matches('input, select') ? field : one.textContent.trim())
  return { name: name ?? '', isSeen: one === document.body || getComputedStyle(one).outlineStyle !== 'none' }
})()`

/** More than the pages of the tests have stops. */
const MAX_STOPS = 150

/**
 * Presses Tab until an element has the focus whose name, its label or its text begins with `name`, and which is not the one that
 * has the focus now.
 * @throws Error if the keyboard does not reach it, or where the focus cannot be seen
 */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let stops = 0; stops < MAX_STOPS; stops += 1) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate<{ name: string; isSeen: boolean }>(FOCUSED)
    if (!focused.isSeen) throw new Error(`the focus of ${focused.name} cannot be seen`)
    if (focused.name.startsWith(name)) return
  }
  throw new Error(`the keyboard does not reach ${name}`)
}

/** Goes to a link or a button by Tab, and presses Enter; resolves when the next page is there. */
export async function enter(page: Page, name: string): Promise<void> {
  await tabTo(page, name)
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')])
}

/** Goes to a field by Tab, and types. */
export async function type(page: Page, field: string, text: string): Promise<void> {
  await tabTo(page, field)
  await page.keyboard.type(text)
}
