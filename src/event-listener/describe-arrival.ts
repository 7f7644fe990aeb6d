import type { Arrival } from './start-listener.ts'

/** An arrival in one line, with ids and without what people wrote. */
export function describeArrival(arrival: Arrival): string {
  if (arrival.refused !== undefined) return `REFUSED  ${arrival.refused}`
  const { id, type, timestamp, data } = arrival.event
  const about = [['customer', idOf(data.customer)], ...NAMES.map((name) => [name, data[name]])]
  const ids = about.flatMap(([name, value]) => (typeof value === 'string' ? [`${name} ${value}`] : []))
  const again = arrival.isRepeated ? ['(again)'] : []
  return [timestamp, type.padEnd(LONGEST_TYPE), id, ...again, ...ids].join('  ')
}

const NAMES = ['chatroom_id', 'wamid', 'status']
const LONGEST_TYPE = 'chatroom.handover_cancelled'.length

function idOf(customer: unknown): unknown {
  return customer && typeof customer === 'object' && 'id' in customer ? customer.id : undefined
}
