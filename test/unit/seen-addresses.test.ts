import { expect, it } from 'vitest'
import type { Arrival } from '../../src/routing/planned.ts'
import { seenAddresses } from '../../src/routing/seen-addresses.ts'
import type { InboundMessage } from '../../src/webhook/items.ts'

const LOCKED = [{ orgId: 'acme', id: 'ana', waId: '1555' }]

function arrival(message: object, customerId: string | undefined = 'ana'): Arrival {
  const base = { nature: 'customer', sender: { waId: '1555' }, sentAt: new Date(1_000) }
  const settings = {} as Arrival['settings']
  return { orgId: 'acme', customerId, settings, message: { ...base, ...message } as InboundMessage }
}

const from = (waId: string | undefined, nature = 'customer') => arrival({ nature, sender: { waId } })
const waIds = (...arrivals: Arrival[]) => seenAddresses(arrivals, LOCKED).map(({ waId }) => waId)

it('the known address of a customer is no news', () => {
  expect(waIds(from('1555'), from('1555', 'standby'))).toEqual([])
})

it('another address is news, and then the known one beside it counts too, since the latest wins', () => {
  expect(waIds(from('1555'), from('1666'), from('1555'))).toEqual(['1555', '1666', '1555'])
})

it('the address of a customer is news who was not read with the lock, or of whom none is known', () => {
  expect(seenAddresses([from('1555')], [])).toHaveLength(1)
  expect(seenAddresses([from('1555')], [{ orgId: 'acme', id: 'ana', waId: null }])).toHaveLength(1)
  expect(seenAddresses([from('1555')], [{ orgId: 'other', id: 'ana', waId: '1555' }])).toHaveLength(1)
})

it('a change of numbers names an address, which counts with the time of the message', () => {
  const rename = { to: { waId: '1666' } }
  const system = arrival({ nature: 'system', sender: { waId: '1555', rename } })
  expect(seenAddresses([system], LOCKED)).toEqual([
    { orgId: 'acme', customerId: 'ana', waId: '1666', at: new Date(1_000) },
  ])
  expect(waIds(arrival({ nature: 'system' }))).toEqual([])
})

it('what a customer did not say, and a message without a customer or a wa_id, shows no address', () => {
  const silent = [from('1666', 'echo'), from('1666', 'history'), from(undefined)]
  expect(waIds(...silent)).toEqual([])
  expect(waIds(...silent, from('1777'))).toEqual(['1777'])
  const unknown = arrival({ sender: { waId: '1666' } })
  expect(seenAddresses([{ ...unknown, customerId: undefined }], LOCKED)).toEqual([])
})
