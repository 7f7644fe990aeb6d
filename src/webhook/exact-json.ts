/**
 * A JSON number that a double cannot hold digit for digit, such as an id beyond 2^53, kept as it was written
 * (docs/meta.md#envelope).
 */
export class ExactNumber {
  readonly digits: string

  constructor(digits: string) {
    this.digits = digits
  }

  toString(): string {
    return this.digits
  }
}

/** A cheap look for numbers that may lose digits: 16 characters or more, or with an exponent. It may find too many. */
const MAY_LOSE_DIGITS = /[:,[\s]-?(?:[\d.]{16,}|[\d.]+[eE])/
/** The tokens of JSON that matter here: a string, which is passed over, and a number. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/**
 * `JSON.parse` that keeps numbers exactly: those that would lose digits become `ExactNumber`. Bodies without such
 * numbers, which are nearly all, cost one search more than `JSON.parse`.
 * @throws SyntaxError as `JSON.parse` does
 */
export function parseExact(text: string): unknown {
  if (!MAY_LOSE_DIGITS.test(text)) return JSON.parse(text)
  JSON.parse(text) // Text that is no JSON must not become JSON by its marks.
  for (let attempt = 0; ; attempt += 1) {
    const { marked, count, mark } = markNumbers(text, attempt)
    const { value, found } = reviveNumbers(marked, mark)
    if (found === count) return value
  }
}

/** The text with each number that would lose digits written as a string that begins with a mark. */
function markNumbers(text: string, attempt: number): { marked: string; count: number; mark: string } {
  const mark = `exact number ${attempt}: `
  let count = 0
  const marked = text.replace(STRING_OR_NUMBER, (token) => {
    if (token.startsWith('"') || JSON.stringify(Number(token)) === token) return token
    count += 1
    return `"${mark}${token}"`
  })
  return { marked, count, mark }
}

/**
 * Parses marked text. `found` is larger than the number of marked tokens when a string of the text begins with the mark
 * by itself: another mark must be tried then. The walk keeps its own stack, so that deep text cannot exhaust the call
 * stack, as it would in a reviver of `JSON.parse`.
 */
function reviveNumbers(marked: string, mark: string): { value: unknown; found: number } {
  const root: Record<string, unknown> = { value: JSON.parse(marked) }
  const open = [root]
  let found = 0
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    for (const [key, item] of Object.entries(holder)) {
      if (typeof item === 'object' && item !== null) open.push(item as Record<string, unknown>)
      if (typeof item !== 'string' || !item.startsWith(mark)) continue
      found += 1
      holder[key] = new ExactNumber(item.slice(mark.length))
    }
  }
  return { value: root.value, found }
}

/** `JSON.stringify` that writes an `ExactNumber` as it was. The value must come from `parseExact`, not nested deep. */
export function stringifyExact(value: unknown): string {
  if (value instanceof ExactNumber) return value.digits
  if (Array.isArray(value)) return `[${value.map(stringifyExact).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${stringifyExact(item)}`).join(',')}}`
}
