import { erasedAndRedelivered } from './erasing-scenarios.ts'
import type { Mutation } from './mutation.ts'

/** Guards of the erasure of a person. */
export const ERASING: Mutation[] = [
  {
    guard: 'a message that was erased leaves a tombstone, and is not routed again',
    edits: [
      {
        file: 'src/routing/without-erased.js',
        from: 'const erased = new Set(late.filter(isErased));',
        to: 'const erased = new Set();',
      },
    ],
    scenario: erasedAndRedelivered,
    violates: 'erasedStaysErased',
  },
]
