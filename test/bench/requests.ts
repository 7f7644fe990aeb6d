import { sign } from '../../src/http/signature.ts'
import { bytes, change, delivery } from '../support/webhooks.ts'
import {
  FIRST_STRANGER,
  nameOf,
  ORGS,
  phoneOf,
  STRANGERS_PER_100,
  userIdOf,
  wabaOf,
  waIdOf,
} from './people.ts'

export const SECRET = 'bench-secret'

/** `messages`: one message each. `statuses`: three statuses (sent, delivered, read) to one message, one each. */
export type Mix = 'messages' | 'statuses'

export type Batch = { run: string; mix: Mix; count: number; rooms: number }

const WORDS = ['sent', 'delivered', 'read']

/** The id of the message that the delivery at this place carries. */
export const wamidOf = (run: string, place: number) => `wamid.${run}.${place}`

/** True when the delivery at this place is a message. */
export const isMessage = (mix: Mix, place: number) => mix === 'messages' || place % 4 === 3

/** A batch of distinct bodies as Meta posts them, with one item each; the same `run` gives the same bodies. */
export function bodyAt({ run, mix, rooms }: Batch, place: number): Buffer {
  return isMessage(mix, place) ? messageBody(run, rooms, place) : statusBody(run, rooms, place)
}

/** A whole signed HTTP request with the headers Meta sends. */
export function requestOf(body: Buffer): Buffer {
  const head = [
    'POST /webhooks/whatsapp HTTP/1.1',
    'Host: usher.test',
    'User-Agent: facebookexternalua',
    `Content-Length: ${body.length}`,
    'Accept: */*',
    'Accept-Encoding: deflate, gzip',
    'Content-Type: application/json',
    `X-Hub-Signature-256: ${sign(body, SECRET)}`,
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
}

/** A signed delivery of three messages of one customer with a room; their ids are those of the places 3n to 3n + 2. */
export function tripleAt(
  run: string,
  rooms: number,
  place: number,
): { body: Buffer; headers: Record<string, string> } {
  const n = roomAt(run, rooms, place)
  const contact = { profile: { name: nameOf(n) }, wa_id: waIdOf(n), user_id: userIdOf(n) }
  const messages = [0, 1, 2].map((i) => messageOf(n, wamidOf(run, 3 * place + i), `Part ${i + 1} of three.`))
  const body = post(n, { messages, contacts: [contact] })
  return { body, headers: { 'content-type': 'application/json', 'x-hub-signature-256': sign(body, SECRET) } }
}

function messageBody(run: string, rooms: number, place: number): Buffer {
  const known = roomAt(run, rooms, place)
  const n = isStranger(run, place) ? FIRST_STRANGER + (hash(run, place) % 90_000_000) : known
  const contact = { profile: { name: nameOf(n) }, wa_id: waIdOf(n), user_id: userIdOf(n) }
  const text = `Is the flat on the second floor still free? I could come on day ${place % 28}.`
  return post(n, { messages: [messageOf(n, wamidOf(run, place), text)], contacts: [contact] })
}

function messageOf(n: number, id: string, body: string) {
  const timestamp = String(Math.floor(Date.now() / 1000))
  return { from: waIdOf(n), from_user_id: userIdOf(n), id, timestamp, type: 'text', text: { body } }
}

function statusBody(run: string, rooms: number, place: number): Buffer {
  const about = Math.floor(place / 4)
  const n = 1 + (about % rooms)
  const status = {
    id: wamidOf(run, about).replace(`wamid.${run}.`, `wamid.${run}.out.`),
    status: WORDS[place % 4],
    timestamp: String(Math.floor(Date.now() / 1000)),
    recipient_id: waIdOf(n),
    recipient_user_id: userIdOf(n),
    pricing: { billable: false, pricing_model: 'PMP', category: 'service', type: 'free_customer_service' },
  }
  return post(n, { statuses: [status], contacts: [{ wa_id: waIdOf(n), user_id: userIdOf(n) }] })
}

function post(n: number, content: Parameters<typeof change>[1]): Buffer {
  return bytes(delivery([change(phoneOf(n), content)], wabaOf(n)))
}

function isStranger(run: string, place: number): boolean {
  return (hash(run, place) >>> 8) % 100 < STRANGERS_PER_100
}

/** A random room, always the same for the same run; the org's number follows from the room. */
function roomAt(run: string, rooms: number, place: number): number {
  return 1 + (hash(run, place) % Math.max(rooms, ORGS))
}

/** Murmur's finaliser over place and run: evenly distributed, and repeatable. */
function hash(run: string, place: number): number {
  let h = place ^ (Number.parseInt(run.slice(-6), 36) | 0)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
