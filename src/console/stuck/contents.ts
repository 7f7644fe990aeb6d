import type { KeptDelivery } from '../../inbox/read-kept.ts'
import { extract } from '../../webhook/extract.ts'

/** What a delivery holds, without its sender and its text. `id` is a wamid, or the name of a field. */
export type Content = { kind: string; type: string; id: string; number: string; at: Date | undefined }

/** The items of a delivery that can be read, and what is wrong with the others, as routing finds them. */
export function readContents({ id, body, receivedAt }: KeptDelivery): {
  contents: Content[]
  problems: string[]
} {
  const { messages, statuses, accountEvents, calls, preferences, problems } = extract({
    id,
    body,
    receivedAt,
  })
  const contents = [
    ...messages.map(({ nature, type, wamid, phoneId, sentAt }) => ({
      ...{ kind: `message, ${nature}`, type, id: wamid, number: phoneId, at: sentAt },
    })),
    ...statuses.map(({ status, wamid, phoneId, at }) => ({
      ...{ kind: 'status', type: status, id: wamid, number: phoneId, at },
    })),
    ...accountEvents.map(({ field, phoneId, wabaId }) => ({
      ...{ kind: 'account event', type: field, id: '', number: phoneId ?? `WABA ${wabaId}`, at: undefined },
    })),
    ...calls.map(({ phoneId, at }) => ({ kind: 'call', type: '', id: '', number: phoneId, at })),
    ...preferences.map(({ value, phoneId, at }) => ({
      ...{ kind: 'preference', type: value, id: '', number: phoneId, at },
    })),
  ]
  return { contents, problems }
}
