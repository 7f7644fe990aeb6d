import { wordsMatch } from '../http/signature.ts'

const MAX_CHALLENGE = 1_000

/**
 * The challenge to answer to Meta's request that verifies the webhook's URL (`hub.mode`, `hub.verify_token` and
 * `hub.challenge`, each given once), or undefined when the request does not prove that it knows the verify token.
 */
export function readChallenge(url: string, verifyToken: string): string | undefined {
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1))
  const only = (name: string) => (query.getAll(name).length === 1 ? (query.get(name) ?? '') : '')
  const challenge = only('hub.challenge')
  const isKnown = wordsMatch(only('hub.verify_token'), verifyToken)
  const isAsked = only('hub.mode') === 'subscribe' && challenge !== '' && challenge.length <= MAX_CHALLENGE
  return isKnown && isAsked ? challenge : undefined
}
