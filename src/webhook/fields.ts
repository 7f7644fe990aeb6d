import { ExactNumber, stringifyExact } from './exact-json.ts'

/** A parsed JSON object with Meta's keys; unknown keys are normal. */
export type Json = Record<string, unknown>

/** An unreadable item; the message names the fault, never the content. */
export class Problem extends Error {
  override name = 'Problem'
}

/** The deepest nesting that is kept: PostgreSQL and JSON.stringify fail at some thousands; Meta stays under 12. */
const MAX_DEPTH = 64
/** An index of PostgreSQL takes keys of up to 2,704 bytes; the longest id is 1,536 bytes, and its org comes on top. */
const MAX_ID_LENGTH = 512
/** Meta's words (types, statuses) are shorter than 40 characters. */
const MAX_WORD_LENGTH = 128
/** Unix seconds have 10 digits. */
const MAX_TIMESTAMP_LENGTH = 32
const CONTROL = /\p{Cc}/u

/**
 * Runs one read. Whatever it throws becomes a line that names the place and the fault, never the content, so that the
 * next item is read.
 */
export function attempt(problems: string[], place: string, read: () => void): void {
  try {
    read()
  } catch (error) {
    problems.push(`${place}: ${faultOf(error)}`)
  }
}

/** The message of an error that is no Problem may quote the content, so only its name is given. */
function faultOf(error: unknown): string {
  if (error instanceof Problem) return error.message
  return `failed in Usher itself (${(error as Error).name})`
}

/** The value as an object; undefined for anything else, arrays included. */
export function asObject(value: unknown): Json | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject && !(value instanceof ExactNumber) ? (value as Json) : undefined
}

/** The value as a list; empty for anything else. */
export function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

/**
 * As `asList`, for a list whose loss would lose messages.
 * @throws Problem for a value that is present and is no list
 */
export function requireList(value: unknown, name: string): unknown[] {
  if (value !== undefined && value !== null && !Array.isArray(value))
    throw new Problem(`${name} is not a list`)
  return asList(value)
}

/** The value as text. '' counts as absent: older payloads send it for a missing phone. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/**
 * A foreign id, verbatim; whole numbers count as their digits.
 * @throws Problem when it is missing, longer than 512 characters, or cannot be stored as text
 */
export function identifier(value: unknown, name: string): string {
  const text = asId(value)
  if (text === undefined) throw new Problem(`has no ${name}`)
  if (!isPossibleId(text)) throw new Problem(`has an impossible ${name}`)
  return text
}

function isPossibleId(text: string): boolean {
  return text.length <= MAX_ID_LENGTH && !CONTROL.test(text) && text.isWellFormed()
}

/** The value as the text of an id; a JSON number counts as its digits, however many they are. */
export function asId(value: unknown): string | undefined {
  if (Number.isSafeInteger(value) || (value instanceof ExactNumber && /^\d+$/.test(value.digits))) {
    return String(value)
  }
  return asText(value)
}

/** As `identifier`; undefined for an absent or empty value. */
export function optionalIdentifier(value: unknown, name: string): string | undefined {
  return value === undefined || value === null || value === '' ? undefined : identifier(value, name)
}

/** The id of something that need not be known; undefined for a value that can be nobody's id. */
export function knownIdOrNothing(value: unknown): string | undefined {
  const text = asId(value)
  return text !== undefined && isPossibleId(text) ? text : undefined
}

/** One of Meta's words, such as a type: cleaned and cut to 128 characters; 'unknown' for anything that is no text. */
export function wordOf(value: unknown): string {
  return cleanText((asText(value) ?? '').slice(0, MAX_WORD_LENGTH)) || 'unknown'
}

/** Unix seconds as text or number; anything else, and a time in the future, counts as the time of receipt. */
export function instantOf(timestamp: unknown, receivedAt: Date): Date {
  const text = asId(timestamp) ?? (typeof timestamp === 'number' ? String(timestamp) : '')
  const ms = text.length > MAX_TIMESTAMP_LENGTH ? 0 : Number(text) * 1000
  return ms > 0 && ms <= receivedAt.getTime() ? new Date(ms) : receivedAt
}

/** The text without the characters that PostgreSQL cannot store: U+0000 and halves of surrogate pairs. */
export function cleanText(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed()
}

/**
 * The value as JSON text for a `json` column; U+0000 and halves of surrogate pairs stay escaped.
 * @throws Problem when it is nested deeper than 64 levels
 */
export function toJson(value: Json | unknown[]): string {
  const found = { exactNumbers: false }
  if (isDeeperThan(MAX_DEPTH, value, found)) throw new Problem(`is nested deeper than ${MAX_DEPTH}`)
  return found.exactNumbers ? stringifyExact(value) : JSON.stringify(value)
}

/** Recursion allocates nothing here and never goes deeper than the limit. */
function isDeeperThan(limit: number, value: unknown, found: { exactNumbers: boolean }): boolean {
  if (limit < 0) return true
  if (typeof value !== 'object' || value === null) return false
  if (value instanceof ExactNumber) {
    found.exactNumbers = true
    return false
  }
  for (const key in value) {
    if (isDeeperThan(limit - 1, (value as Json)[key], found)) return true
  }
  return false
}
