import { expect } from 'vitest'
import type { Shown } from './event-log.ts'
import type { Received } from './webhook-receiver.ts'

/** The key by which events are in order: their customer, or none. */
const keyOf = (event: Shown): string => event.data.customer?.id ?? ''

/**
 * Compares what a receiver took with the log: every event is there, the events of each customer in their order, and what
 * came twice has the same `webhook-id`.
 */
export function expectComplete(log: Shown[], taken: Received[]): void {
  const first = new Map<string, Received>()
  for (const one of taken) {
    expect(one.id).toBe(one.event.id)
    const before = first.get(one.id)
    if (before) expect(one.event.type).toBe(before.event.type)
    else first.set(one.id, one)
  }
  const got = [...first.values()].map(({ event }) => event as Shown)
  const missing = log.filter(({ id }) => !first.has(id)).map(({ id, type }) => `${id} ${type}`)
  expect(missing).toEqual([])
  const ids = new Set(log.map(({ id }) => id))
  expect(got.filter(({ id }) => !ids.has(id))).toEqual([])
  expect(inOrder(got)).toEqual(inOrder(log))
}

function inOrder(events: Shown[]): Record<string, string[]> {
  const byKey = new Map<string, string[]>()
  for (const event of events.filter((one) => keyOf(one) !== ''))
    byKey.set(keyOf(event), [...(byKey.get(keyOf(event)) ?? []), event.id])
  return Object.fromEntries(byKey)
}
