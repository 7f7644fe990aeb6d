import { expect, it } from 'vitest'
import { assertApplies } from '../support/faults/mutations/mutant.ts'
import { MUTATIONS } from '../support/faults/mutations/mutations.ts'

it.each(MUTATIONS)('the mutation of the guard "$guard" still fits the built code', async ({ edits }) => {
  for (const edit of edits) await expect(assertApplies(edit)).resolves.toBeUndefined()
})

it('a mutation whose text is not in the code, or is there twice, is refused', async () => {
  const file = 'src/routing/decide.js'
  await expect(assertApplies({ file, from: 'no such text', to: '' })).rejects.toThrow(
    '0 times instead of once',
  )
  await expect(assertApplies({ file, from: 'return', to: '' })).rejects.toThrow('times instead of once')
})
