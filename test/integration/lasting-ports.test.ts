import { expect, test } from 'vitest'
import { claimBlock } from '../support/faults/lab/ports.ts'

test('two that would take ports from the same block get a block each', async () => {
  const blocks = await Promise.all([claimBlock(), claimBlock(), claimBlock()])
  expect(new Set(blocks).size).toBe(3)
})
