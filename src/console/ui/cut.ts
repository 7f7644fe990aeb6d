/** The bytes of characters that HTML writes as names. */
const ESCAPED: Record<string, number> = { '"': 6, '&': 5, '<': 4 }

/** The longest beginning of a text that takes at most `bytes` bytes in a page. */
export function cutToBytes(text: string, bytes: number): string {
  let used = 0
  let end = 0
  for (const character of text) {
    used += ESCAPED[character] ?? Buffer.byteLength(character)
    if (used > bytes) return text.slice(0, end)
    end += character.length
  }
  return text
}
