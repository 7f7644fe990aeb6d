import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { MATRIX } from '../support/matrix.ts'

it('the README tells of every fault of the matrix, with its promise and a figure or why there is none', () => {
  const readme = readFileSync('README.md', 'utf8')
  for (const [i, [fault, promise]] of MATRIX.entries()) {
    const row = readme.split('\n').find((line) => line.startsWith(`| ${i + 1} | ${fault} | ${promise} | `))
    expect([fault, row?.split(' | ')[3]?.length ?? 0]).toEqual([fault, expect.toSatisfy((n) => n > 2)])
  }
})
