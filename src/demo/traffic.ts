import { randomInt } from 'node:crypto'
import { deactivateChatroom } from '../chatrooms/deactivate-chatroom.ts'
import type { Db } from '../db/client.ts'
import { readNow } from '../db/read-now.ts'
import { ApiError } from '../errors.ts'
import { sendToChatroom } from '../outbound/send-to-chatroom.ts'
import type { SampleCustomer } from './sample-customers.ts'
import { AGENTS, type SampleOrg } from './sample-org.ts'
import { createPost } from './scenes.ts'

/** The customers of one org who write; strangers among them get phones that begin with `areaCode`. */
export type Audience = { org: SampleOrg; customers: SampleCustomer[]; areaCode: string }

const INTERVAL_MS = 400
const TEXTS = [
  ...['Is my order on its way?', 'Can I change the date?', 'Thank you!', 'Which sizes do you have?'],
  ...['I would like to book a visit.', 'Do you open on Sunday?', 'The link does not work.', 'Perfect.'],
]

/**
 * Sends two or three sample messages per second, partly from strangers, answers in a chatroom with every third, and
 * deactivates one with every twelfth, so that every kind of routing decision appears. Returns the function that stops it.
 */
export function startTraffic(
  db: Db,
  audiences: Audience[],
  send: (body: Buffer) => Promise<unknown>,
): () => void {
  let n = 0
  let isSending = false
  const step = async () => {
    const audience = pick(audiences)
    if (!audience || isSending) return
    isSending = true
    n += 1
    try {
      await send(createPost(audience.org, [createText(pickSender(audience), n)]))
      if (n % 3 === 0) await answerOne(db, audience)
      if (n % 12 === 0) await deactivateOne(db, audience)
    } finally {
      isSending = false
    }
  }
  const timer = setInterval(() => void step().catch(() => undefined), INTERVAL_MS)
  return () => clearInterval(timer)
}

function pickSender({ customers, areaCode }: Audience): string {
  const isStranger = randomInt(14) === 0
  return isStranger ? `${areaCode}${randomInt(20_000, 99_999)}` : (pick(customers)?.phone ?? '')
}

function createText(phone: string, n: number) {
  const at = Math.floor(Date.now() / 1000)
  const id = `wamid.demo.${Date.now().toString(36)}.${n}`
  return { from: phone.slice(1), id, timestamp: String(at), type: 'text', text: { body: pick(TEXTS) ?? '' } }
}

async function answerOne(db: Db, { org, customers }: Audience): Promise<void> {
  const message = { origin: 'AGENT' as const, text: { body: 'Thank you for asking. I am looking into it.' } }
  await changeOne(customers, async (chatroomId) =>
    sendToChatroom(db, {
      ...{ org: rulesOf(org), chatroomId, message, sender: undefined },
      ...{ actor: `user:${pick(AGENTS)}`, now: await readNow(db) },
    }),
  )
}

async function deactivateOne(db: Db, { org, customers }: Audience): Promise<void> {
  await changeOne(customers, async (chatroomId) =>
    deactivateChatroom(db, {
      ...{ org: rulesOf(org), chatroomId, reason: undefined },
      ...{ actor: 'user:asha', now: await readNow(db) },
    }),
  )
}

/** An ApiError is ignored: the chatroom that was picked may have a state that does not allow the change. */
async function changeOne(
  customers: SampleCustomer[],
  change: (chatroomId: string) => Promise<unknown>,
): Promise<void> {
  const chatroomId = pick(customers.filter((customer) => customer.roomId))?.roomId
  if (!chatroomId) return
  await change(chatroomId).catch((error) => {
    if (!(error instanceof ApiError)) throw error
  })
}

const rulesOf = ({ id }: SampleOrg) => ({ id, inactivityDays: null, expiryDays: null })

function pick<T>(list: T[]): T | undefined {
  return list[randomInt(list.length)]
}
