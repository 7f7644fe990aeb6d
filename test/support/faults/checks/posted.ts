import type { PostedMessage } from './evidence.ts'

/** The body of a delivery as Meta builds it; anything in it may be missing or of another type. */
type Item = {
  id?: unknown
  from?: unknown
  from_user_id?: unknown
  timestamp?: unknown
  type?: unknown
  text?: { body?: string }
} | null
type Change = { value?: { metadata?: { phone_number_id?: string }; messages?: Item[] } }
type Body = { entry?: { changes?: Change[] }[] }

export type ReadMessage = Omit<PostedMessage, 'acked' | 'ghostAcked' | 'number'> & { phoneId: string }

/** The messages in a delivery that can be routed; nothing for a body that is not one of Meta's. */
export function messagesIn(body: Buffer): ReadMessage[] {
  return changesIn(body).flatMap(({ value }) => {
    const phoneId = value?.metadata?.phone_number_id
    return phoneId === undefined ? [] : (value?.messages ?? []).flatMap((item) => readItem(item, phoneId))
  })
}

/** The ids of the messages in a delivery. */
export function wamidsIn(body: Buffer): string[] {
  return messagesIn(body).map(({ wamid }) => wamid)
}

function changesIn(body: Buffer): Change[] {
  try {
    const { entry }: Body = JSON.parse(body.toString())
    return (entry ?? []).flatMap(({ changes }) => changes ?? [])
  } catch {
    return []
  }
}

function readItem(item: Item, phoneId: string): ReadMessage[] {
  const { id, from, from_user_id: userId, timestamp, type, text } = item ?? {}
  const sender = typeof from === 'string' || typeof userId === 'string'
  if (typeof id !== 'string' || typeof type !== 'string' || !sender) return []
  return [
    {
      wamid: id,
      phoneId,
      person: { waId: String(from ?? ''), userId: typeof userId === 'string' ? userId : undefined },
      hidden: typeof from !== 'string',
      type,
      text: type === 'text' ? text?.body : undefined,
      at: new Date(Number(timestamp) * 1000),
    },
  ]
}
