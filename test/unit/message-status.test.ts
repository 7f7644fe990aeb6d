import { expect, it } from 'vitest'
import { STATUS_ORDER, statusRankSql } from '../../src/rules/message-status.ts'

it('proofs that the customer has the message are stronger than a failure', () => {
  expect(STATUS_ORDER.indexOf('failed')).toBeLessThan(STATUS_ORDER.indexOf('delivered'))
  expect(statusRankSql('s')).toBe(`array_position(array['sent', 'failed', 'delivered', 'read', 'played'], s)`)
})
