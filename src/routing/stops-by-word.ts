import type { CustomerPreference } from '../consent/preferences.ts'
import { isStop } from '../consent/stop-words.ts'
import type { Arrival } from './planned.ts'

/** The customers who wrote a stop word of their org, in messages whose content is new. */
export function stopsByWord(messages: Arrival[]): CustomerPreference[] {
  const inOrgsWithWords = messages.filter(({ settings }) => settings.stopWords.length > 0)
  return inOrgsWithWords.flatMap(({ orgId, customerId, settings: { stopWords }, message }) => {
    const { nature, phoneId, sentAt: at, payload } = message
    const isWord = nature === 'customer' || nature === 'standby'
    if (!customerId || !isWord || !isStop(JSON.parse(payload), stopWords)) return []
    const cause = { actor: 'routing', reason: 'the customer wrote a stop word' }
    return [{ orgId, customerId, phoneId, value: 'stop' as const, at, ...cause }]
  })
}
