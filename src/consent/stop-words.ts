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
  const plain = plainOf(said)
  return plain !== '' && stopWords.some((word) => plainOf(word) === plain)
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
