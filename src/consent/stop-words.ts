/** A message of a customer, as far as it may be a stop: Meta's payload. */
type Payload = {
  type?: unknown
  text?: { body?: unknown } | null
  button?: { text?: unknown } | null
  context?: { forwarded?: unknown; frequently_forwarded?: unknown } | null
}

/**
 * Whether the whole of a text, or of a template's button, is one of these words (docs/rules.md#opt-out). Case, width,
 * spaces and punctuation around it do not count; a word inside a sentence does, and so is no stop. What was forwarded is
 * not the customer's own word.
 */
export function isStop({ type, text, button, context }: Payload, stopWords: readonly string[]): boolean {
  if (context?.forwarded || context?.frequently_forwarded) return false
  const said = type === 'text' ? text?.body : type === 'button' ? button?.text : undefined
  if (typeof said !== 'string' || said.length > MAX_LENGTH) return false
  return plainWordsOf(stopWords).has(plainOf(said))
}

/** A batch asks about the words of an org for each message. */
const PLAIN_WORDS = new WeakMap<readonly string[], Set<string>>()

function plainWordsOf(stopWords: readonly string[]): Set<string> {
  const known = PLAIN_WORDS.get(stopWords)
  if (known) return known
  const words = new Set(stopWords.map(plainOf).filter((word) => word !== ''))
  PLAIN_WORDS.set(stopWords, words)
  return words
}

/** A stop word has at most 64 characters; more than as many around it are a text of their own. */
const MAX_LENGTH = 128

function plainOf(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/^[\s\p{P}\p{S}\p{Cf}]+|[\s\p{P}\p{S}\p{Cf}]+$/gu, '')
    .replace(/\s+/g, ' ')
}
