import { wordsMatch } from '../http/signature.ts'

/** The query parameter that carries the verify token. */
export const TOKEN_PARAMETER = 'hub.verify_token'

const MAX_CHALLENGE = 1_000

/**
 * The challenge to answer to Meta's request that verifies the webhook's URL (`hub.mode`, `hub.verify_token` and
 * `hub.challenge`, each given once), or undefined when the request does not prove that it knows a verify token.
 * Several tokens may be valid at a time, while one is rotated or another app has its own.
 */
export function readChallenge(url: string, verifyTokens: readonly string[]): string | undefined {
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1))
  const only = (name: string) => (query.getAll(name).length === 1 ? (query.get(name) ?? '') : '')
  const challenge = only('hub.challenge')
  const given = only(TOKEN_PARAMETER)
  // Every token is compared, so that the time taken does not reveal which one matched.
  const isKnown = verifyTokens.map((token) => wordsMatch(given, token)).includes(true)
  const isAsked = only('hub.mode') === 'subscribe' && challenge !== '' && challenge.length <= MAX_CHALLENGE
  return isKnown && isAsked ? challenge : undefined
}
