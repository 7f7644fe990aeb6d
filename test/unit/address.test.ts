import { expect, it } from 'vitest'
import { addressOf } from '../../src/outbound/address.ts'

it('a message is addressed to the `wa_id` with a plus, else to the phone, and to the BSUID', () => {
  const names = { waId: '1555', phone: '+1666', userId: 'US.1' }
  expect(addressOf(names)).toEqual({ to: '+1555', recipient: 'US.1' })
  expect(addressOf({ ...names, waId: null })).toEqual({ to: '+1666', recipient: 'US.1' })
  expect(addressOf({ ...names, userId: null })).toEqual({ to: '+1555' })
  expect(addressOf({ waId: null, phone: null, userId: 'US.1' })).toEqual({ recipient: 'US.1' })
})

it('a message to somebody of whom neither a phone nor a BSUID is known has no address', () => {
  expect(addressOf({ waId: null, phone: null, userId: null })).toBeUndefined()
})
