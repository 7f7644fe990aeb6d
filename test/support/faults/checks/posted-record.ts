import type { Db } from '../../../../src/db/client.ts'
import type { PostedMessage } from './evidence.ts'
import { messagesIn, type ReadMessage } from './posted.ts'

/** Records which messages were posted, and which of them were in a delivery that was answered with 200. */
export class PostedRecord {
  readonly #messages = new Map<string, ReadMessage>()
  readonly #acknowledged = new Set<string>()

  /** To be called before a delivery is posted: the messages of an unanswered one may be stored too. */
  add(body: Buffer): void {
    for (const message of messagesIn(body)) this.#messages.set(message.wamid, message)
  }

  /** To be called when a delivery was answered with 200. */
  acknowledge(body: Buffer): void {
    for (const { wamid } of messagesIn(body)) this.#acknowledged.add(wamid)
  }

  /** The messages that were acknowledged, by wamid. */
  get acknowledged(): string[] {
    return [...this.#acknowledged]
  }

  /** Every message with the org that its number is provisioned for. */
  async messages(db: Db): Promise<Map<string, PostedMessage>> {
    const { rows } = await db.$client.query<{ id: string; org_id: string }>(
      `select id, org_id from meta_objects where kind = 'phone'`,
    )
    const owners = new Map(rows.map(({ id, org_id }) => [id, org_id]))
    const posted = [...this.#messages.values()].map(({ phoneId, ...message }): PostedMessage => {
      const number = { phoneId, orgId: owners.get(phoneId) ?? 'no org' }
      return { ...message, number, acked: this.#acknowledged.has(message.wamid), ghostAcked: false }
    })
    return new Map(posted.map((message) => [message.wamid, message]))
  }
}
