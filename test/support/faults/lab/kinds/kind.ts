import type { PostedMessage } from '../../checks/evidence.ts'
import type { Random } from '../../random.ts'
import type { Population } from '../population.ts'
import type { LoadDelivery, LoadMessage, Writer } from '../writer.ts'

/** What the deliveries of a kind are made of. */
export type KindSource = { random: Random; population: Population; writer: Writer }

/** Writes the deliveries of one kind of webhook, with what must become of their messages. */
export type Kind = (source: KindSource) => LoadDelivery[]

const SECOND_MS = 1_000

/** So many seconds ago, as Meta's timestamps: in whole seconds. */
export function secondsAgo(seconds: number): Date {
  return new Date((Math.floor(Date.now() / SECOND_MS) - seconds) * SECOND_MS)
}

/** A message as Meta sends it, without the names of its sender, which `keys` gives with all that is not text. */
export function itemOf({ wamid, at, type, text }: PostedMessage, keys: object): object {
  const timestamp = String(at.getTime() / SECOND_MS)
  return { id: wamid, timestamp, type, ...(text !== undefined && { text: { body: text } }), ...keys }
}

/** The items of a delivery that holds these messages with their real content. */
export function real(...messages: LoadMessage[]) {
  return messages.map((message) => ({ message, ghost: false }))
}

/** A phone as people type it. */
export function typed(random: Random, waId: string): string {
  return random.pick([waId, `+${waId}`, `+${waId.slice(0, 1)} (${waId.slice(1, 4)}) ${waId.slice(4)}`])
}

let people = 0

/** A number that no person has had before: its digits behind a prefix. */
export function nextNumber(prefix: string, digits: number): string {
  people += 1
  return prefix + String(people).padStart(digits, '0')
}
