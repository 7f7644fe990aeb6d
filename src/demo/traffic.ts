import { randomInt } from 'node:crypto'
import { deactivateChatroom } from '../chatrooms/deactivate-chatroom.ts'
import type { Db } from '../db/client.ts'
import { ApiError } from '../errors.ts'
import type { Member } from './crowd.ts'
import type { SampleOrg } from './sample-org.ts'
import { createPost } from './scenes.ts'

export type Street = { org: SampleOrg; members: Member[]; areaCode: string }

const PACE_MS = 400
const LINES = [
  ...['Is my order on its way?', 'Can I change the date?', 'Thank you!', 'Which sizes do you have?'],
  ...['I would like to book a visit.', 'Do you open on Sunday?', 'The link does not work.', 'Perfect.'],
]

/**
 * Goes on sending what customers of these orgs might write, two or three deliveries a second, and puts a chatroom to
 * sleep now and then, so that all kinds of decisions are seen. Gives what stops it.
 */
export function startTraffic(
  db: Db,
  streets: Street[],
  send: (body: Buffer) => Promise<unknown>,
): () => void {
  let n = 0
  let busy = false
  const step = async () => {
    const street = pick(streets)
    if (!street || busy) return
    busy = true
    n += 1
    try {
      await send(createPost(street.org, [text(writerOf(street), n)]))
      if (n % 12 === 0) await putToSleep(db, street)
    } finally {
      busy = false
    }
  }
  const timer = setInterval(() => void step().catch(() => undefined), PACE_MS)
  return () => clearInterval(timer)
}

function writerOf({ members, areaCode }: Street): string {
  const isStranger = randomInt(14) === 0
  return isStranger ? `${areaCode}${randomInt(20_000, 99_999)}` : (pick(members)?.phone ?? '')
}

function text(phone: string, n: number) {
  const at = Math.floor(Date.now() / 1000)
  const id = `wamid.demo.${Date.now().toString(36)}.${n}`
  return { from: phone.slice(1), id, timestamp: String(at), type: 'text', text: { body: pick(LINES) ?? '' } }
}

/** What is expired cannot fall asleep, and that is fine. */
async function putToSleep(db: Db, { org, members }: Street): Promise<void> {
  const chatroomId = pick(members.filter((member) => member.roomId))?.roomId
  if (!chatroomId) return
  const rules = { id: org.id, inactivityDays: null, expiryDays: null }
  const request = { org: rules, chatroomId, reason: undefined, actor: 'user:asha', now: new Date() }
  await deactivateChatroom(db, request).catch((error) => {
    if (!(error instanceof ApiError)) throw error
  })
}

function pick<T>(list: T[]): T | undefined {
  return list[randomInt(list.length)]
}
