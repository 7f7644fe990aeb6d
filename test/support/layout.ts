import type { Page } from 'playwright-core'

/** Widths at which every page is looked at: a small phone, a tablet, a laptop and a large screen. */
export const WIDTHS = [360, 768, 1280, 1920]

/**
 * Runs in the page: lists text that lies outside the window, text that lies on other text, and elements that hide or scroll
 * a part of their content sideways. The content areas of lines may touch, so four pixels of height are no collision.
 */
const FAULTS = `(() => {
  const boxes = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const node = walker.currentNode
    const parent = node.parentElement
    if (node.textContent.trim() === '' || !parent.checkVisibility()) continue
    if (parent.closest('select, thead, .skip, script')) continue
    const range = document.createRange()
    range.selectNodeContents(node)
    const text = node.textContent.trim().slice(0, 40)
    for (const { left, right, top, bottom, width } of range.getClientRects())
      if (width > 0) boxes.push({ text, node, left, right, top, bottom })
  }
  boxes.sort((a, b) => a.top - b.top)
  const faults = boxes
    .filter(({ left, right }) => left < -1 || right > innerWidth + 1)
    .map(({ text }) => 'outside the window: ' + text)
  boxes.forEach((a, i) => {
    for (const b of boxes.slice(i + 1)) {
      if (b.top > a.bottom) break
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left)
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
      if (a.node !== b.node && wide > 1 && high > 4) faults.push('collision: ' + a.text + ' | ' + b.text)
    }
  })
  for (const element of document.querySelectorAll('body, body *:not(input, thead)')) {
    const isVisible = getComputedStyle(element).overflowX === 'visible'
    if (isVisible && !element.matches('body, .sheet, .card, .head')) continue
    if (element.scrollWidth > element.clientWidth + 1)
      faults.push('cut off: ' + element.tagName + ' ' + (element.getAttribute('aria-label') ?? element.className))
  }
  return [...new Set(faults)]
})()`

/** What is cut off, or lies on something else, at each of the widths; each with its width. */
export async function layoutFaults(page: Page): Promise<string[]> {
  const found: string[] = []
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 })
    const faults = await page.evaluate<string[]>(FAULTS)
    found.push(...faults.map((fault) => `${width} px: ${fault}`))
  }
  return found
}
