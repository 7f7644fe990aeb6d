import { expect, it } from 'vitest'
import { withoutPruning } from '../../src/rules/without-pruning.ts'

it('a time by which PostgreSQL shall choose no partitions is an expression, not the column', () => {
  expect(withoutPruning('m.sent_at')).toBe(`(m.sent_at + interval '0')`)
})
