import fc from 'fast-check'
import { expect, it } from 'vitest'
import { extract } from '../../src/webhook/extract.ts'
import type { Extraction } from '../../src/webhook/items.ts'
import { mutatedDeliveries } from '../support/mutated-webhooks.ts'

/** `FUZZ_RUNS=100000` for a long search by hand. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 2_000)

/** Every text that becomes a key of a table or a part of an index. */
const keysOf = ({ messages, statuses, accountEvents, preferences, calls }: Extraction) =>
  [
    ...[...messages, ...preferences, ...calls].flatMap(({ phoneId, sender }) => [
      phoneId,
      sender.waId,
      sender.userId,
      sender.parentUserId,
    ]),
    ...messages.flatMap(({ wamid, type, target }) => [wamid, type, target]),
    ...statuses.flatMap(({ phoneId, wamid, status }) => [phoneId, wamid, status]),
    ...accountEvents.flatMap(({ wabaId, phoneId, field }) => [wabaId, phoneId, field]),
  ].filter((key) => key !== undefined)

it('whatever is odd in a real delivery, the good messages beside it are read, and every key can be stored', () => {
  fc.assert(
    fc.property(
      mutatedDeliveries({ phone: '106540352242922', waba: '102290129340398' }),
      ({ body, good }) => {
        const extraction = extract({ id: 1, body, receivedAt: new Date() })
        const read = extraction.messages.map(({ wamid, sender }) => ({ wamid, from: sender.waId }))
        for (const { wamid, from } of good) expect(read).toContainEqual({ wamid, from })
        for (const key of keysOf(extraction)) {
          expect([key.length <= 530, key.isWellFormed(), key.includes('\u0000')]).toEqual([true, true, false])
        }
      },
    ),
    { numRuns: RUNS },
  )
})
