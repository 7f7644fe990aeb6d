import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { projectRoot } from '../../src/project-root.ts'

/** What the pages of the pictures in docs/ said when the pictures were taken. */
const RECORD = join(projectRoot(), 'docs', 'console-pictures.txt')

/**
 * Runs in the page: the texts that do not depend on its data: titles, heads of tables, fields, buttons and navigation. Numbers
 * are masked, and each text counts once.
 */
const FIXED_TEXTS = `(() => {
  const own = (element) => [...element.childNodes]
    .filter(({ nodeType }) => nodeType === Node.TEXT_NODE)
    .map(({ textContent }) => textContent).join(' ').replace(/\\s+/g, ' ').replace(/\\d[\\d,]*/g, '#').trim()
  const found = document.querySelectorAll('h1, h2:not(.person h2), nav a, thead th, .field > span, .bar > button')
  const texts = [...found].filter((element) => !element.closest('tbody, .timeline')).map((element) => own(element) || element.textContent.trim())
  return [...new Set(texts.filter(Boolean))].sort()
})()`

/** The texts of a page by which an old picture of it is known. */
export async function fixedTexts(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(FIXED_TEXTS)
}

/** The texts that were recorded beside the pictures, by the names of these. */
export async function recordedTexts(): Promise<Record<string, string[]>> {
  const parts = (await readFile(RECORD, 'utf8')).split(/^# /m).slice(1)
  return Object.fromEntries(
    parts.map((part) => {
      const [name = '', ...texts] = part.trimEnd().split('\n')
      return [name, texts]
    }),
  )
}

/** Records the texts beside the pictures. */
export async function recordTexts(texts: Record<string, string[]>): Promise<void> {
  const parts = Object.entries(texts).map(([name, lines]) => `# ${name}\n${lines.join('\n')}\n`)
  await writeFile(RECORD, parts.join(''))
}
