import type { Db } from '../../src/db/client.ts'
import { deliver, readMessage } from './inbox.ts'
import type { TestOrg } from './org.ts'
import { bytes, change, delivery, newWamid } from './webhooks.ts'

/** So many seconds ago, as Meta writes a time. */
export const secondsAgo = (n: number) => String(Math.floor(Date.now() / 1000) - n)

type Item = Record<string, unknown> & { id: string }

/** A text of somebody who shows these keys (`from`, `from_user_id`, `from_parent_user_id`), sent so many seconds ago. */
export const text = (names: object, ago = 0): Item => ({
  ...names,
  id: newWamid(),
  timestamp: secondsAgo(ago),
  type: 'text',
  text: { body: 'hello' },
})

/** A `system` message, sent so many seconds ago. */
export const system = (content: object, names: object = {}, ago = 0): Item => ({
  ...names,
  id: newWamid(),
  timestamp: secondsAgo(ago),
  type: 'system',
  system: { body: 'Ana changed something', ...content },
})

/** A contact card with these phones, sent so many seconds ago. */
export const card = (names: object, phones: object[], origin: string, more: object = {}): Item => ({
  ...names,
  id: newWamid(),
  timestamp: secondsAgo(0),
  type: 'contacts',
  contacts: [{ name: { formatted_name: 'X' }, phones, origin }],
  ...more,
})

/** Delivers messages to a number of the org, one after the other; gives their rows in the ledger. */
export async function write(db: Db, org: TestOrg, messages: Item[], number = 0) {
  for (const item of messages) {
    const contacts = item.type === 'system' ? [] : undefined
    const body = delivery([
      change(org.phones[number] ?? '', { messages: [item], ...(contacts && { contacts }) }),
    ])
    await deliver(db, bytes(body))
  }
  return Promise.all(messages.map(({ id }) => readMessage(db, org.id, id)))
}

/** The names of a customer, `former` ones marked. */
export async function namesOf(db: Db, org: TestOrg, customerId: string): Promise<string[]> {
  const { rows } = await db.$client.query<{ name: string }>(
    `select value as name from customer_aliases where org_id = $1 and customer_id = $2
     union all
     select 'former ' || value from former_aliases where org_id = $1 and customer_id = $2
     order by 1`,
    [org.id, customerId],
  )
  return rows.map(({ name }) => name)
}
