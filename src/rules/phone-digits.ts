/** Digits with the signs that people and address books put between them, and a plus in front. */
const PHONE = /^[\p{Zs}\p{Cf}]*\+?[\d\p{Zs}\p{Pd}\p{Cf}().]+$/u

/**
 * The digits of a text that is written like a phone (`+1 (650) 555-1234` is `16505551234`); undefined for any other text.
 * Every id of Meta that may be a phone goes through this function before it becomes a name, so that one phone has one
 * name (docs/meta.md#phone-numbers).
 */
export function phoneDigits(text: string): string | undefined {
  if (!PHONE.test(text)) return undefined
  return text.replace(/\D/g, '') || undefined
}
