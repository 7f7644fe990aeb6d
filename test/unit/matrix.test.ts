import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { MATRIX } from '../support/matrix.ts'

it('docs/reliability.md has a row for every fault of the matrix, with its promise and a figure or the reason why there is none', () => {
  const document = readFileSync('docs/reliability.md', 'utf8')
  for (const [i, [fault, promise]] of MATRIX.entries()) {
    const row = document.split('\n').find((line) => line.startsWith(`| ${i + 1} | ${fault} | ${promise} | `))
    expect([fault, row?.split(' | ')[3]?.length ?? 0]).toEqual([fault, expect.toSatisfy((n) => n > 2)])
  }
})
