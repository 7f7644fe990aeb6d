/** Digits with the signs that people and address books put between them, and a plus in front. */
/** No phone is written longer. The pattern takes quadratic time over long texts of spaces. */
const MAX_LENGTH = 64
const PHONE = /^[\p{Zs}\p{Cf}]*\+?[\d\p{Zs}\p{Pd}\p{Cf}().]+$/u

/**
 * The digits of a text that is written like a phone (`+1 (650) 555-1234` is `16505551234`); undefined for any other text.
 * Every id of Meta that may be a phone goes through this function before it becomes a name, so that one phone has one
 * name (docs/meta.md#phone-numbers).
 */
export function phoneDigits(text: string): string | undefined {
  if (text.length > MAX_LENGTH || !PHONE.test(text)) return undefined
  return text.replace(/\D/g, '') || undefined
}
