/** Functions that make bodies as Meta posts them (docs/meta.md#envelope). Numbers and names are invented. */

let counter = 0
/** A message id no other message has. */
export const newWamid = () => `wamid.TEST${process.pid}${Date.now().toString(36)}${counter++}`

export type TextMessage = {
  from?: string | undefined
  userId?: string
  id?: string
  at?: Date
  body?: string
  type?: string
  extra?: Record<string, unknown>
}

/** One inbound text (or, with `type` and `extra`, any other) message. */
export function message({
  from = '15550001111',
  userId,
  id,
  at,
  body = 'hello',
  type = 'text',
  extra,
}: TextMessage) {
  return {
    ...(from && { from }),
    ...(userId && { from_user_id: userId }),
    id: id ?? newWamid(),
    timestamp: String(Math.floor((at ?? new Date()).getTime() / 1000)),
    type,
    ...(type === 'text' && { text: { body } }),
    ...extra,
  }
}

type Content = { messages?: unknown[]; statuses?: unknown[]; contacts?: unknown[]; errors?: unknown[] }

/** One `changes[]` item of the field `messages` for a number. */
export function change(phoneId: string, content: Content) {
  const metadata = { display_phone_number: '15550783881', phone_number_id: phoneId }
  const contacts = content.contacts ?? contactsOf(content.messages ?? [])
  return { field: 'messages', value: { messaging_product: 'whatsapp', metadata, ...content, contacts } }
}

function contactsOf(messages: unknown[]) {
  const seen = new Map<unknown, object>()
  for (const m of messages as { from?: string; from_user_id?: string }[]) {
    const wa_id = m?.from
    const user_id = m?.from_user_id
    seen.set(wa_id ?? user_id, {
      profile: { name: `Customer ${wa_id ?? user_id}` },
      ...(wa_id && { wa_id }),
      ...(user_id && { user_id }),
    })
  }
  return [...seen.values()]
}

/** A whole POST body of one or several changes. */
export function delivery(changes: unknown[], wabaId = 'waba-1') {
  return { object: 'whatsapp_business_account', entry: [{ id: wabaId, changes }] }
}

/** The bytes of a POST that carries these messages to one number. */
export function post(phoneId: string, ...messages: unknown[]): Buffer {
  return bytes(delivery([change(phoneId, { messages })]))
}

export const bytes = (body: unknown): Buffer => Buffer.from(JSON.stringify(body))
