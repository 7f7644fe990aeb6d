import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot } from '../../src/project-root.ts'

type Journal = { entries: { idx: number; when: number; tag: string }[] }

const folder = join(projectRoot(), 'drizzle')
const { entries } = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8')) as Journal

test('every migration is newer than the one before, because drizzle skips older ones', () => {
  const times = entries.map((entry) => entry.when)
  expect(times).toEqual([...new Set(times)].sort((a, b) => a - b))
})

test('migrations are numbered without a gap, in the order in which they run', () => {
  expect(entries.map((entry) => [entry.idx, Number(entry.tag.slice(0, 4))])).toEqual(
    entries.map((_, position) => [position, position]),
  )
})
